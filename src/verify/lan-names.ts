import { type Cluster, dnsServers } from '../inventory/cluster.js';
import type { ProbeCheck } from './probe-check.js';
import type { Probe } from './probes.js';

/**
 * What is asked of the LAN's DNS servers. From every segment each server is asked for the API and for who has the
 * address of a host there; and each server for every host, by turns from all segments. All must answer what the
 * inventory says: so they answer alike. Pods ask, and not hosts: a host has such names in its own /etc/hosts.
 */
export const lanNames = (pods: readonly Probe[], cluster: Cluster): readonly ProbeCheck[] => {
  const { zone, endpoint } = cluster;
  if (zone === undefined) return [];
  const askers = [...new Map(pods.toReversed().map((probe) => [probe.node.segment, probe])).values()].toReversed();
  const { name: api, address } = endpoint;
  return dnsServers(cluster).flatMap((server) => {
    const question = (asker: Probe, kind: 'name' | 'address', target: string, expect: string): ProbeCheck => ({
      proof: 'LAN DNS',
      name: `${asker.node.name} (${asker.node.segment}) asks ${server.name}: ${target} is ${expect}`,
      asker,
      // A name in full, so that no search domain is tried.
      ask: {
        kind,
        target: kind === 'name' ? `${target}.` : target,
        expect: kind === 'name' ? expect : `${expect}.`,
        server: `${server.address}:53`,
        seconds: 10,
      },
    });
    return [
      ...askers.flatMap((asker) => [
        ...(api === undefined || address === undefined ? [] : [question(asker, 'name', api, address)]),
        question(asker, 'address', asker.node.address, `${asker.node.name}.${zone}`),
      ]),
      ...cluster.hosts.flatMap((host, index) => {
        const asker = askers[index % askers.length];
        return asker === undefined ? [] : [question(asker, 'name', `${host.name}.${zone}`, host.address)];
      }),
    ];
  });
};
