import type { Facts, Path } from '../hosts/facts/facts.js';
import { contains } from '../inventory/addresses.js';
import {
  type Cluster,
  type ClusterHost,
  controlPlanes,
  hasEtcdMember,
  isControlPlane,
  isNode,
} from '../inventory/cluster.js';
import type { ClusterCheck, ClusterFacts, FailedCheck, HostCheck } from './check.js';

/**
 * A member of etcd takes a connection only from an address that the other's certificate has: that of the inventory. A
 * host with several addresses may send from another one, such as the first of its interface. A control plane that is
 * alone is checked as long as it has no member: its address can still be another one.
 */
export const sourceAddressCheck = {
  name: 'source-address',
  scope: 'host',
  summary: 'what a control plane sends to others comes from its address of the inventory, as etcd demands',
  fix: 'correct `address` in the inventory, or make that the first address of the interface in the network settings of the machine',
  check: (host, facts, cluster) => {
    if (!hasEtcdMember(host, cluster)) return [];
    const others = controlPlanes(cluster).filter(({ name }) => name !== host.name);
    const isFirst = others.length === 0 && !facts.etcdMember;
    const paths = [
      ...others.flatMap(({ name, address }) => pathTo(address, facts).map((path) => ({ name, path }))),
      ...(isFirst
        ? pathsInSegment(host, facts, cluster).map((path) => ({ name: `segment ${host.segment}`, path }))
        : []),
    ];
    const sources = new Set(paths.flatMap(({ path: { from } }) => (from === host.address ? [] : (from ?? []))));
    return [
      ...[...sources].map((source) => {
        const affected = paths.filter(({ path }) => path.from === source);
        const [{ path: { device = '', to = '' } = {} } = {}] = affected;
        return {
          detail: `what the host sends to ${affected.map(({ name }) => name).join(', ')} comes from ${source} on ${device}, and not from ${host.address}: etcd ${isFirst ? 'of another control plane' : 'there'} would refuse it`,
          next: `write ${source} as \`address\` in the inventory, or ${sendFrom(host.address, to)}${isFirst ? '; where it stays the only control plane: --skip-check source-address' : ''}`,
        };
      }),
      // Next hops are the matter of the other check.
      ...(isFirst ? [] : paths)
        .filter(({ path }) => !nextHopsOf(host, cluster).includes(path.to))
        .flatMap(({ name, path }) => unreachable(path, `${name} (${path.to}), which has a member of etcd`)),
    ];
  },
} satisfies HostCheck;

/**
 * Other nodes work all the same: API servers and pods answer wherever a question comes from. But rules of firewalls that
 * name the address of the inventory do not fit, and other machines log another one.
 */
export const sourceAddressesCheck = {
  name: 'source-address',
  scope: 'cluster',
  warns: true,
  summary: 'what the other nodes send into their segment comes from their address of the inventory',
  fix: 'make that the first address of the interface in the network settings of the machine, or let both through firewalls',
  check: ({ cluster, facts }: Pick<ClusterFacts, 'cluster' | 'facts'>) =>
    cluster.hosts
      .filter((host) => isNode(host) && !isControlPlane(host))
      .flatMap((host) => {
        const seen = facts.get(host.name);
        return (seen === undefined ? [] : pathsInSegment(host, seen, cluster))
          .filter(({ from }) => from !== undefined && from !== host.address)
          .slice(0, 1)
          .map(({ to, from = '', device = '' }) => ({
            hosts: [host.name],
            detail: `what ${host.name} sends to segment ${host.segment} comes from ${from} on ${device}, and not from ${host.address}`,
            next: `see that firewalls let both addresses through, or ${sendFrom(host.address, to)}`,
          }));
      }),
} satisfies ClusterCheck;

const sendFrom = (address: string, to: string): string =>
  `have the machine send from ${address}: make that the first address in its network settings, or the only one in the network (see ip route get ${to})`;

/** A route's next hop must be on the link: the kernel takes no other, and a gateway knows no pods. */
export const nextHopsCheck = {
  name: 'next-hop',
  scope: 'host',
  summary:
    'the next hops of its routes to pods are in a network that the host shares with them, without a gateway between',
  fix: 'use addresses of a network that the machines share, such as a VLAN or the private network of a provider, or write more segments',
  check: (host, facts, cluster) => {
    const paths = nextHopsOf(host, cluster).flatMap((address) => pathTo(address, facts));
    const behind = new Map<string, string[]>();
    for (const { to, via } of paths) {
      if (via !== undefined) behind.set(via, [...(behind.get(via) ?? []), nameOf(to, cluster)]);
    }
    return [
      ...[...behind].map(([gateway, names]) => ({
        detail: `the way to ${names.join(', ')} leads by the gateway ${gateway}, and routes to pods need their next hop in the same network`,
        next: 'use addresses of a network that these machines share without a router (a VLAN or the private network of a provider), or write a segment of its own for each network, with its `gateway`',
      })),
      ...paths.flatMap((path) => unreachable(path, `${nameOf(path.to, cluster)}, a next hop to pods`)),
    ];
  },
} satisfies HostCheck;

const nextHopsOf = (host: ClusterHost, { routes }: Cluster): readonly string[] => [
  ...new Set((routes[host.name] ?? []).map(({ via }) => via)),
];

/** To its own addresses, such as the virtual one, a host sends from just these. */
const pathsInSegment = ({ segment }: ClusterHost, { network }: Facts, cluster: Cluster): readonly Path[] => {
  const cidr = cluster.network.segments.find(({ name }) => name === segment)?.cidr;
  return (network?.paths ?? []).filter(({ to, device }) => cidr !== undefined && contains(cidr, to) && device !== 'lo');
};

const pathTo = (address: string, { network }: Facts): readonly Path[] =>
  network?.paths.filter(({ to }) => to === address) ?? [];

const unreachable = ({ to, error }: Path, name: string): readonly FailedCheck[] =>
  error === undefined
    ? []
    : [
        {
          detail: `no route leads to ${name}: ${error}`,
          next: `give the machine a route there, and see that it is there after a reboot: ip route get ${to}`,
        },
      ];

const nameOf = (address: string, { hosts }: Cluster): string => {
  const has = (half: Pick<ClusterHost, 'address' | 'addresses'>) =>
    half.address === address || Object.values(half.addresses).includes(address);
  const owner = hosts.find((host) => has(host) || (host.ipv6 !== undefined && has(host.ipv6)));
  return owner === undefined ? address : `${owner.name} (${address})`;
};
