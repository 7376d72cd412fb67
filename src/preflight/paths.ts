import type { Facts, Path } from '../hosts/facts/facts.js';
import { type Cluster, type ClusterHost, controlPlanes, isControlPlane } from '../inventory/cluster.js';
import type { FailedCheck } from './check.js';

/**
 * A member of etcd takes a connection only from an address that the other's certificate has: that of the inventory. A
 * host with several addresses may send from another one, such as the first of its interface. On other hosts it makes no
 * difference: API servers and pods answer wherever a question comes from.
 */
export const checkSourceAddress = (host: ClusterHost, facts: Facts, cluster: Cluster): readonly FailedCheck[] => {
  if (!isControlPlane(host)) return [];
  const others = controlPlanes(cluster).filter(({ name }) => name !== host.name);
  const paths = others.flatMap(({ name, address }) => pathTo(address, facts).map((path) => ({ name, path })));
  const sources = new Set(paths.flatMap(({ path: { from } }) => (from === host.address ? [] : (from ?? []))));
  return [
    ...[...sources].map((source) => {
      const affected = paths.filter(({ path }) => path.from === source);
      const device = affected[0]?.path.device ?? '';
      return {
        detail: `what the host sends to ${affected.map(({ name }) => name).join(', ')} comes from ${source} on ${device}, and not from ${host.address}: etcd there would refuse it`,
        next: `write ${source} as \`address\` in the inventory, or have the machine send from ${host.address}: make that the first address in its network settings, or the only one in the network (see ip route get ${affected[0]?.path.to})`,
      };
    }),
    // Next hops are the matter of the other check.
    ...paths
      .filter(({ path }) => !nextHopsOf(host, cluster).includes(path.to))
      .flatMap(({ name, path }) => unreachable(path, `${name} (${path.to}), which has a member of etcd`)),
  ];
};

/** A route's next hop must be on the link: the kernel takes no other, and a gateway knows no pods. */
export const checkNextHops = (host: ClusterHost, facts: Facts, cluster: Cluster): readonly FailedCheck[] => {
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
};

const nextHopsOf = (host: ClusterHost, { routes }: Cluster): readonly string[] => [
  ...new Set((routes[host.name] ?? []).map(({ via }) => via)),
];

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
  const owner = hosts.find((host) => host.address === address || Object.values(host.addresses).includes(address));
  return owner === undefined ? address : `${owner.name} (${address})`;
};
