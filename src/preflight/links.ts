import type { Facts, Link } from '../hosts/facts/facts.js';
import { type ClusterHost, isNode, isRouter, type Segment } from '../inventory/cluster.js';
import type { ClusterCheck, ClusterFacts, HostCheck } from './check.js';

/**
 * Less than every link of IPv6 carries (RFC 8200, 5) is a wrong setting more often than a network. Where the inventory has
 * the pods send no more, it is meant.
 */
export const mtuCheck = {
  name: 'mtu',
  scope: 'host',
  summary: 'the interfaces that the cluster uses carry packets of 1280 bytes, or what the `mtu` of their segment says',
  fix: 'set a larger MTU, or write that of the network as `mtu` of the segment',
  check: (host, facts, { network }) =>
    network.segments.flatMap((segment) =>
      linksIn(segment, host, facts)
        .filter(({ mtu }) => mtu < smallest && mtu < sizeOf(segment))
        .map(({ name, mtu }) => ({
          detail: `${name} has the MTU ${mtu}, below ${smallest}, which every network should carry`,
          next: `ip link set ${name} mtu 1500, and in the network settings of the machine; if the network carries no more, write network.segments.${segment.name}.mtu: ${mtu}`,
        })),
    ),
} satisfies HostCheck;

const smallest = 1280;

/**
 * Hosts of one segment with different MTUs: what is larger than the smallest is lost without a word, as no router on
 * the way tells the sender. And pods that send more than their host's interface carries.
 */
export const mtusCheck = {
  name: 'mtu',
  scope: 'cluster',
  warns: true,
  summary:
    'interfaces in one segment have the same MTU, and carry the packets of its pods: 1500 bytes, or the `mtu` of the segment',
  fix: 'set the same MTU on all interfaces of a segment, or write the smallest one as `mtu` of the segment',
  check: ({ cluster, facts }: Pick<ClusterFacts, 'cluster' | 'facts'>) =>
    cluster.network.segments.flatMap((segment) => {
      const seen = cluster.hosts.flatMap((host) => {
        const of = facts.get(host.name);
        return of === undefined ? [] : linksIn(segment, host, of).map(({ name, mtu }) => ({ host, name, mtu }));
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
            .map(({ host, name }) => `${host.name} (${name})`)
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
    }),
} satisfies ClusterCheck;

/** The largest packet of the segment's pods, in bytes. */
const sizeOf = ({ mtu = 1500 }: Segment): number => mtu;

/**
 * kbs has the kernel forward packets, which opens all interfaces at that moment. Where it did already, an interface that
 * something else closed stays so, and with it the way to the pods behind it.
 */
export const forwardingCheck = {
  name: 'forwarding',
  scope: 'host',
  summary:
    'where the kernel of a node or a router forwards packets already, the interfaces that the cluster uses do too',
  fix: 'sysctl -w net.ipv4.conf.INTERFACE.forwarding=1, and in what closes the interface at every boot',
  check: (host, facts, { network }) =>
    network.segments.flatMap((segment) =>
      linksIn(segment, host, facts)
        .filter(({ isClosed }) => isClosed && (isNode(host) || isRouter(host)))
        .map(({ name }) => ({
          detail: `${name} forwards no packets, so none that come in there reach pods`,
          next: `sysctl -w net.ipv4.conf.${name.replaceAll('.', '/')}.forwarding=1, and in what sets it: a file of sysctl.d, or IPv4Forwarding= (IPForward= before systemd 256) of systemd-networkd`,
        })),
    ),
} satisfies HostCheck;

/** The interface that has the host's address in the segment. */
const linksIn = ({ name }: Segment, host: ClusterHost, { network }: Facts): readonly Link[] => {
  const address = host.addresses[name] ?? (host.segment === name ? host.address : undefined);
  return (network?.links ?? [])
    .filter(({ addresses }) => addresses.some((found) => found.split('/')[0] === address))
    .slice(0, 1);
};
