import { compareAddresses } from '../inventory/addresses.js';
import type { Cluster, ClusterHost, KernelRoute, RoutesByHost } from '../inventory/cluster.js';
import { isRouter } from '../inventory/cluster.js';
import {
  addressesOf,
  familiesOf,
  type Paths,
  pathsOf,
  type Router,
  routersOf,
  type Topology,
} from './segments-graph.js';

/**
 * The routes of every host, by host name.
 *
 * A host reaches the pods of its own segment directly via their hosts, and those of every other segment by one
 * aggregated prefix via a router. A router reaches the pods of all its segments via their hosts, and other segments via
 * the next router. Hosts without pods have routes too: pods reach them with their own addresses, and the answers need
 * a route back. Where no router leads there is no route; `proveRoutes` reports that. In a cluster of both families the
 * routes of IPv6 follow those of IPv4.
 */
export const compileRoutes = (cluster: Topology): RoutesByHost => {
  const halves = familiesOf(cluster).map(routesInFamily);
  return Object.fromEntries(
    cluster.hosts.map(({ name }) => [name, halves.flatMap((routes) => routes.get(name) ?? [])]),
  );
};

const routesInFamily = (cluster: Topology): ReadonlyMap<string, readonly KernelRoute[]> => {
  const paths = pathsOf(cluster);
  const pods = podsBySegment(cluster);
  return new Map(cluster.hosts.map((host) => [host.name, routesOf(routeOwnerOf(host), cluster, pods, paths)]));
};

/** A router that kbs does not manage, and the routes that its owner must configure. */
export interface UnmanagedRouter extends Router {
  /** The gateway address that names it: that of the first of its segments, of IPv4 where it has one. */
  readonly address: string;
  readonly routes: readonly KernelRoute[];
  /**
   * Whether it joins segments, so that pods of different segments need it. Otherwise only machines of its segment that
   * are no hosts of the cluster use the routes.
   */
  readonly required: boolean;
}

/**
 * The router that the inventory names by gateways only, with every pod CIDR of its segments via its host. One of IPv4 and
 * one of IPv6 are one machine.
 */
export const unmanagedRouters = (cluster: Cluster): readonly UnmanagedRouter[] => {
  const [first, ...others] = familiesOf(cluster).flatMap(unmanagedIn);
  if (first === undefined) return [];
  return [
    {
      ...first,
      routes: [first, ...others].flatMap(({ routes }) => routes),
      required: [first, ...others].some(({ required }) => required),
    },
  ];
};

/** Those of one half of a cluster. */
export const unmanagedIn = (cluster: Cluster): readonly UnmanagedRouter[] => {
  const paths = pathsOf(cluster);
  const pods = podsBySegment(cluster);
  return routersOf(cluster).flatMap((router) => {
    const segments = Object.keys(router.addresses);
    const address = Object.values(router.addresses)[0];
    if (router.managed || address === undefined) return [];
    const routes = routesOf({ name: router.name, segments, isRouter: true }, cluster, pods, paths);
    return [{ ...router, address, routes, required: segments.length > 1 }];
  });
};

/**
 * The other hosts that get a new route when this node, a host of the cluster, joins: those of its own segment and the
 * routers that are on it, however large the cluster is. The first node of a segment is the exception: the segment may
 * be new to every other host, so all of them count.
 */
export const routesTouchedByJoin = (cluster: Cluster, host: ClusterHost): readonly string[] => {
  if (host.podCidr === undefined) return [];
  const others = cluster.hosts.filter((other) => other.name !== host.name);
  const first = !others.some((other) => other.podCidr !== undefined && other.segment === host.segment);
  return others
    .filter((other) => first || segmentsOf(other).some((segment) => addressesOf(host)[segment] !== undefined))
    .map(({ name }) => name);
};

interface HostPods {
  readonly host: string;
  readonly route: KernelRoute;
}

type PodsBySegment = ReadonlyMap<string, readonly HostPods[]>;

/** Every pod CIDR that has a host on the segment, in order of that host's address. */
const podsBySegment = ({ network, hosts }: Topology): PodsBySegment =>
  new Map(
    network.segments.map(({ name }) => [
      name,
      hosts
        .flatMap((host): readonly HostPods[] => {
          const via = addressesOf(host)[name];
          if (host.podCidr === undefined || via === undefined) return [];
          return [{ host: host.name, route: { to: host.podCidr, via, why: `pods of ${host.name}` } }];
        })
        .toSorted((a, b) => compareAddresses(a.route.via, b.route.via)),
    ]),
  );

/** A host or an unmanaged router, as far as its routes depend on it. */
interface RouteOwner {
  readonly name: string;
  /** The names of the segments that it has an interface in, its own first. */
  readonly segments: readonly string[];
  readonly isRouter: boolean;
}

const routeOwnerOf = (host: ClusterHost): RouteOwner => ({
  name: host.name,
  segments: segmentsOf(host),
  isRouter: isRouter(host),
});

const segmentsOf = (host: ClusterHost): readonly string[] => Object.keys(addressesOf(host));

const routesOf = (
  owner: RouteOwner,
  { network }: Topology,
  pods: PodsBySegment,
  paths: Paths,
): readonly KernelRoute[] => {
  // A host with several interfaces may be on-link in more than one segment; the first counts.
  const near = new Map<string, KernelRoute>();
  for (const { host, route } of owner.segments.flatMap((segment) => pods.get(segment) ?? [])) {
    if (host !== owner.name && !near.has(route.to)) near.set(route.to, route);
  }
  const far = network.segments.flatMap(({ name, podCidr }): readonly KernelRoute[] => {
    if (owner.segments.includes(name)) return [];
    const hop = owner.isRouter ? paths.fromRouter(owner.name, name) : paths.fromSegment(owner.segments[0] ?? '', name);
    return hop === undefined
      ? []
      : [{ to: podCidr, via: hop.via, why: `pods of segment ${name}, through ${hop.router}` }];
  });
  return [...near.values(), ...far];
};
