import type { Facts } from '../hosts/facts/facts.js';
import { type Cluster, type ClusterHost, isNode, type Segment } from '../inventory/cluster.js';
import type { CheckResult, ClusterFacts, FailedCheck } from './check.js';

/**
 * Less than every link of IPv6 carries (RFC 8200, 5) is a wrong setting more often than a network. Where the inventory has
 * the pods send no more, it is meant.
 */
export const checkMtu = (host: ClusterHost, facts: Facts, { network }: Cluster): readonly FailedCheck[] =>
  network.segments.flatMap((segment) =>
    carriers(segment, host, facts)
      .filter(({ mtu }) => mtu < smallest && mtu < sizeOf(segment))
      .map(({ device, mtu }) => ({
        detail: `${device} has the MTU ${mtu}, below ${smallest}, which every network should carry`,
        next: `ip link set ${device} mtu 1500, and in the network settings of the machine; if the network carries no more, write network.segments.${segment.name}.mtu: ${mtu}`,
      })),
  );

const smallest = 1280;

/**
 * Hosts of one segment with different MTUs: what is larger than the smallest is lost without a word, as no router on
 * the way tells the sender. And pods that send more than their host's interface carries.
 */
export const checkMtus = ({
  cluster,
  facts,
}: Pick<ClusterFacts, 'cluster' | 'facts'>): readonly (FailedCheck & Pick<CheckResult, 'hosts'>)[] =>
  cluster.network.segments.flatMap((segment) => {
    const seen = cluster.hosts.flatMap((host) => {
      const of = facts.get(host.name);
      return of === undefined ? [] : carriers(segment, host, of).map((carrier) => ({ host, ...carrier }));
    });
    const sizes = [...new Set(seen.map(({ mtu }) => mtu))].toSorted((a, b) => b - a);
    const least = sizes.at(-1);
    if (least === undefined) return [];
    const forPods = sizeOf(segment) > least && seen.some(({ host }) => isNode(host));
    if (sizes.length === 1 && !forPods) return [];
    const having = (size: number) => seen.filter(({ mtu }) => mtu === size);
    const each = sizes.map(
      (size) =>
        `${size}: ${having(size)
          .map(({ host, device }) => `${host.name} (${device})`)
          .join(', ')}`,
    );
    const write = `write network.segments.${segment.name}.mtu: ${least}`;
    return [
      sizes.length > 1
        ? {
            hosts: having(least).map(({ host }) => host.name),
            detail: `interfaces in segment ${segment.name} have different MTUs, ${each.join('; ')}`,
            next: `set the same MTU on all of them${forPods ? `, or, if the network carries no more, ${write}` : ''}`,
          }
        : {
            hosts: seen.filter(({ host }) => isNode(host)).map(({ host }) => host.name),
            detail: `pods of segment ${segment.name} send packets of ${sizeOf(segment)} bytes, and the interfaces there have the MTU ${least}`,
            next: write,
          },
    ];
  });

/** The largest packet of the segment's pods, in bytes. */
const sizeOf = ({ mtu = 1500 }: Segment): number => mtu;

/** The interface that has the host's address in the segment. */
const carriers = (
  { name }: Segment,
  host: ClusterHost,
  { network }: Facts,
): readonly { readonly device: string; readonly mtu: number }[] => {
  const address = host.addresses[name] ?? (host.segment === name ? host.address : undefined);
  return (network?.links ?? [])
    .filter(({ addresses }) => addresses.some((found) => found.split('/')[0] === address))
    .slice(0, 1)
    .map(({ name: device, mtu }) => ({ device, mtu }));
};
