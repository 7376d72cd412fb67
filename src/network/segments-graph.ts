import type { Cluster, ClusterHost } from '../inventory/cluster.js';
import { isRouter } from '../inventory/cluster.js';

/** What paths and routes follow from. */
export type Topology = Pick<Cluster, 'network' | 'hosts'>;

/**
 * The cluster as its IPv6 half has it: the same names, with addresses and networks of IPv6, without what has none.
 * Undefined for a cluster of IPv4 alone. What computes with the networks of a cluster computes with these the same way.
 */
export const ipv6Half = <T extends Topology>(cluster: T): T | undefined => {
  const { network, hosts } = cluster;
  if (network.ipv6 === undefined) return undefined;
  return {
    ...cluster,
    network: {
      ...network,
      ...network.ipv6,
      segments: network.segments.flatMap(({ gateway: _, ipv6, ...segment }) =>
        ipv6 === undefined ? [] : [{ ...segment, ...ipv6 }],
      ),
    },
    hosts: hosts.flatMap(({ podCidr: _, ipv6, ...host }) => (ipv6 === undefined ? [] : [{ ...host, ...ipv6 }])),
  };
};

/** The cluster once for each family that it has, IPv4 first. */
export const familiesOf = <T extends Topology>(cluster: T): readonly T[] => {
  const half = ipv6Half(cluster);
  return half === undefined ? [cluster] : [cluster, half];
};

/** A machine that joins segments. */
export interface Router {
  /** A managed router's host name, or `router 192.168.10.1` for one that the inventory does not list. */
  readonly name: string;
  /** Its address in each of its segments, by segment name. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly managed: boolean;
}

/**
 * All routers: the managed ones in the inventory's order, then the unmanaged one. Gateways that no managed router
 * holds are taken for one machine with an interface in each of their segments, as in a small network they are.
 */
export const routersOf = (cluster: Topology): readonly Router[] => {
  const managed = cluster.hosts
    .filter(isRouter)
    .map((host): Router => ({ name: host.name, addresses: addressesOf(host), managed: true }));
  const held = new Set(managed.flatMap((router) => Object.values(router.addresses)));
  const gateways = cluster.network.segments.flatMap(({ name, gateway }) =>
    gateway === undefined || held.has(gateway) ? [] : [[name, gateway] as const],
  );
  const [first] = gateways;
  if (first === undefined) return managed;
  return [...managed, { name: `router ${first[1]}`, addresses: Object.fromEntries(gateways), managed: false }];
};

/** A host's address in each segment that it is on, its own segment first. */
export const addressesOf = (host: ClusterHost): Readonly<Record<string, string>> => ({
  [host.segment]: host.address,
  ...host.addresses,
});

/** The next router from a segment towards another, by an address that is on-link. */
export interface Hop {
  readonly router: string;
  readonly via: string;
}

export interface Paths {
  /** From a machine of `segment` towards the segment `to`; undefined where no router leads there. */
  fromSegment(segment: string, to: string): Hop | undefined;
  /** From a router that is not on the segment `to`. */
  fromRouter(router: string, to: string): Hop | undefined;
}

/**
 * Shortest paths between segments. Of equally short ones it prefers those through the segments' gateways, and then a
 * fixed one. The cost of a path is the same in both directions and no two paths cost the same. So the path back is
 * always the reverse, and every router chooses the rest of the path that the router before it chose.
 */
export const pathsOf = (cluster: Topology): Paths => {
  const routers = routersOf(cluster);
  const links = linksOf(cluster, routers);
  const trees = new Map(cluster.network.segments.map(({ name }) => [name, treeTowards(segmentId(name), links)]));
  const parent = (id: string, to: string): string | undefined => trees.get(to)?.get(id);
  const hop = (segment: string, to: string): Hop | undefined => {
    const router = routers.find(({ name }) => routerId(name) === parent(segmentId(segment), to));
    const via = router?.addresses[segment];
    return router === undefined || via === undefined ? undefined : { router: router.name, via };
  };
  return {
    fromSegment: hop,
    fromRouter(router, to) {
      const next = cluster.network.segments.find(({ name }) => segmentId(name) === parent(routerId(router), to));
      return next === undefined ? undefined : hop(next.name, to);
    },
  };
};

interface Link {
  readonly to: string;
  readonly cost: bigint;
}

const segmentId = (name: string): string => `segment ${name}`;
const routerId = (name: string): string => `router ${name}`;

/**
 * The graph of segments and routers. A link costs, from the most to the least significant digit: one; one more where
 * it does not lead through the segment's gateway; and a bit of its own for the node that it leads to.
 */
const linksOf = (cluster: Topology, routers: readonly Router[]): ReadonlyMap<string, readonly Link[]> => {
  const { segments } = cluster.network;
  const ids = [...routers.map(({ name }) => routerId(name)), ...segments.map(({ name }) => segmentId(name))];
  const detour = 1n << BigInt(ids.length);
  const linkCost = detour << 16n;
  const links = new Map<string, Link[]>(ids.map((id) => [id, []]));
  const link = (from: string, to: string, cost: bigint): void => {
    links.get(from)?.push({ to, cost: cost + (1n << BigInt(ids.indexOf(to))) });
  };
  for (const router of routers) {
    for (const segment of segments) {
      const address = router.addresses[segment.name];
      if (address === undefined) continue;
      const cost = linkCost + (address === segment.gateway ? 0n : detour);
      link(routerId(router.name), segmentId(segment.name), cost);
      link(segmentId(segment.name), routerId(router.name), cost);
    }
  }
  return links;
};

/** Dijkstra from the destination: for every node, the next node on its path there. */
const treeTowards = (root: string, links: ReadonlyMap<string, readonly Link[]>): ReadonlyMap<string, string> => {
  const cost = new Map([[root, 0n]]);
  const parent = new Map<string, string>();
  const open = new Set([root]);
  while (open.size > 0) {
    const node = [...open].reduce((a, b) => ((cost.get(b) ?? 0n) < (cost.get(a) ?? 0n) ? b : a));
    open.delete(node);
    for (const { to, cost: extra } of links.get(node) ?? []) {
      const total = (cost.get(node) ?? 0n) + extra;
      const known = cost.get(to);
      if (known !== undefined && known <= total) continue;
      cost.set(to, total);
      parent.set(to, node);
      open.add(to);
    }
  }
  return parent;
};
