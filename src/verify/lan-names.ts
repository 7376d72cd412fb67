import { type Cluster, dnsServers } from '../inventory/cluster.js';
import { recordsOf } from '../inventory/lan-services.js';
import type { ProbeCheck } from './probe-check.js';
import type { Probe } from './probes.js';

/**
 * Requests to the LAN's DNS servers. From every segment each server is asked for the API's name, for every record of the
 * inventory, and for the name of an address of a host there; and each server for every host, alternately from all segments. The expected answers are the
 * inventory's, so all servers answer alike. Only pods ask: a host has such names in its own /etc/hosts.
 */
export const lanNames = (pods: readonly Probe[], cluster: Cluster): readonly ProbeCheck[] => {
  const { zone, endpoint } = cluster;
  if (zone === undefined) return [];
  const sources = [...new Map(pods.toReversed().map((probe) => [probe.node.segment, probe])).values()].toReversed();
  const { name: api, address } = endpoint;
  return dnsServers(cluster).flatMap((server) => {
    const check = (source: Probe, kind: 'name' | 'address', target: string, expect: string): ProbeCheck => ({
      proof: 'LAN DNS',
      name: `${source.node.name} (${source.node.segment}) asks ${server.name}: ${target} is ${expect}`,
      source,
      // A name in full, so that no search domain is tried.
      request: {
        kind,
        target: kind === 'name' ? `${target}.` : target,
        expect: kind === 'name' ? expect : `${expect}.`,
        server: `${server.address}:53`,
        seconds: 10,
      },
    });
    return [
      ...sources.flatMap((source) => [
        ...(api === undefined || address === undefined ? [] : [check(source, 'name', api, address)]),
        check(source, 'address', source.node.address, `${source.node.name}.${zone}`),
        ...recordsOf(cluster).map(({ name, address: at }) => check(source, 'name', name.replace('*', anyLabel), at)),
      ]),
      ...cluster.hosts.flatMap((host, index) => {
        const source = sources[index % sources.length];
        return source === undefined ? [] : [check(source, 'name', `${host.name}.${zone}`, host.address)];
      }),
    ];
  });
};

/** In the place of a wildcard. */
const anyLabel = 'kbs-verify';
