import fc from 'fast-check';
import type { Cluster, ClusterHost } from '../../src/inventory/cluster.js';
import { isControlPlane, isRouter } from '../../src/inventory/cluster.js';
import { anyCluster } from '../network/topologies.js';

/**
 * Clusters of any shape with at least one control plane, some with a virtual address, DNS servers, GPUs, hypervisors and
 * forwarded ports.
 */
export const anyEquippedCluster: fc.Arbitrary<Cluster> = fc
  .tuple(anyCluster, fc.boolean(), fc.infiniteStream(fc.nat(9)))
  .map(([cluster, virtual, dice]) => {
    const roll = (): number => dice.next().value ?? 0;
    const [first] = cluster.hosts.filter((host) => !isRouter(host));
    const home = first?.segment;
    const hosts = cluster.hosts.map((host): ClusterHost => {
      if (isRouter(host)) return host;
      const roles: ClusterHost['roles'] = [
        ...(host === first && !isControlPlane(host) ? (['control-plane'] as const) : []),
        // Balancers live where the virtual address does.
        ...host.roles.map((role) => (role === 'load-balancer' && host.segment !== home ? 'worker' : role)),
        ...(roll() < 2 ? (['dns'] as const) : []),
      ];
      return {
        ...host,
        roles,
        ...(roll() < 3 ? { hypervisor: `pve-${roll() % 3}` } : {}),
        ...(roll() < 2 ? { gpu: 'nvidia' as const } : {}),
      };
    });
    const cidr = cluster.network.segments.find(({ name }) => name === home)?.cidr ?? '';
    const balanced = virtual && hosts.some(({ roles }) => roles.includes('load-balancer'));
    const address = first?.address ?? '';
    const endpoint = balanced
      ? { host: 'api', name: 'api', port: 6443, vip: cidr.replace(/0\/24$/, '250') }
      : { host: address, address, port: 6443 };
    const to = roll() < 5 ? 'workers' : (hosts.find(({ roles }) => roles.includes('worker'))?.name ?? 'nodes');
    const forwards =
      balanced && roll() < 5 ? [{ port: 443, to: [to], targetPort: 30443, proxyProtocol: roll() < 5 }] : [];
    return { ...cluster, hosts, endpoint, forwards };
  });

/** Up to three of the items. */
export const someOf = <T>(items: readonly T[]): fc.Arbitrary<readonly T[]> =>
  fc.subarray([...items], { maxLength: Math.min(3, items.length) });
