import { compareAddresses } from '../inventory/addresses.js';
import type { Cluster, ClusterHost } from '../inventory/cluster.js';
import { isRouter } from '../inventory/cluster.js';
import { addressesOf, type Paths, pathsOf, type Router, routersOf } from './segments-graph.js';

/** A route as a kernel holds it. */
export interface KernelRoute {
  /** CIDR. */
  readonly to: string;
  /** An address that is on-link. */
  readonly via: string;
  /** For people: whose pods are there. */
  readonly why: string;
}

/**
 * The routes of every host, by host name.
 *
 * A host reaches the pods of its own segment directly via their hosts, and those of every other segment by one
 * aggregated prefix via a router. A router reaches the pods of all its segments via their hosts, and hands what is
 * further away to the next router. Hosts without pods have routes too: pods reach them with their own addresses, and
 * the answers must find the way back. Where no router leads there is no route; `proveRoutes` then says so.
 */
export const compileRoutes = (cluster: Cluster): Readonly<Record<string, readonly KernelRoute[]>> => {
  const paths = pathsOf(cluster);
  const pods = podsBySegment(cluster);
  return Object.fromEntries(cluster.hosts.map((host) => [host.name, routesOf(stationOf(host), cluster, pods, paths)]));
};

/** A router that kbs does not manage, and what its owner must configure. */
export interface UnmanagedRouter extends Router {
  /** The gateway address that names it: that of the first of its segments. */
  readonly address: string;
  readonly routes: readonly KernelRoute[];
  /**
   * Whether it joins segments, so that pods of different segments need it. Otherwise the routes serve only other
   * machines of its segment that want to call pods.
   */
  readonly required: boolean;
}

/** The routers that the inventory names as gateways only, with every pod CIDR of their segments via its host. */
export const unmanagedRouters = (cluster: Cluster): readonly UnmanagedRouter[] => {
  const paths = pathsOf(cluster);
  const pods = podsBySegment(cluster);
  return routersOf(cluster).flatMap((router) => {
    const legs = Object.keys(router.addresses);
    const address = Object.values(router.addresses)[0];
    if (router.managed || address === undefined) return [];
    const routes = routesOf({ name: router.name, legs, isRouter: true }, cluster, pods, paths);
    return [{ ...router, address, routes, required: legs.length > 1 }];
  });
};

/**
 * The other hosts that get a new route when this node, a host of the cluster, joins: those of its own segment and the
 * routers that are on it. Nobody else, however large the cluster is; but the first node of a segment may be the first
 * that anybody hears of that segment, and then it is everybody.
 */
export const routesTouchedByJoin = (cluster: Cluster, host: ClusterHost): readonly string[] => {
  if (host.podCidr === undefined) return [];
  const others = cluster.hosts.filter((other) => other.name !== host.name);
  const first = !others.some((other) => other.podCidr !== undefined && other.segment === host.segment);
  return others
    .filter((other) => first || legsOf(other).some((hostPhases) => addressesOf(host)[hostPhases] !== undefined))
    .map(({ name }) => name);
};

interface PodsVia extends KernelRoute {
  readonly host: string;
}

type PodsBySegment = ReadonlyMap<string, readonly PodsVia[]>;

/** Every pod CIDR that has a host on the segment, in order of that host's address. */
const podsBySegment = (cluster: Cluster): PodsBySegment =>
  new Map(
    cluster.network.segments.map(({ name }) => [
      name,
      cluster.hosts
        .flatMap((host): readonly PodsVia[] => {
          const via = addressesOf(host)[name];
          if (host.podCidr === undefined || via === undefined) return [];
          return [{ host: host.name, to: host.podCidr, via, why: `pods of ${host.name}` }];
        })
        .toSorted((a, b) => compareAddresses(a.via, b.via)),
    ]),
  );

interface Station {
  readonly name: string;
  /** The names of its segments, its own first. */
  readonly legs: readonly string[];
  readonly isRouter: boolean;
}

const stationOf = (host: ClusterHost): Station => ({ name: host.name, legs: legsOf(host), isRouter: isRouter(host) });

const legsOf = (host: ClusterHost): readonly string[] => Object.keys(addressesOf(host));

const routesOf = (station: Station, cluster: Cluster, pods: PodsBySegment, paths: Paths): readonly KernelRoute[] => {
  const { name: self, legs } = station;
  // A host with several legs may be met on more than one of them; the first counts.
  const near = new Map<string, KernelRoute>();
  for (const { host, to, via, why } of legs.flatMap((hostPhases) => pods.get(hostPhases) ?? [])) {
    if (host !== self && !near.has(to)) near.set(to, { to, via, why });
  }
  const far = cluster.network.segments.flatMap(({ name, podCidr }): readonly KernelRoute[] => {
    if (legs.includes(name)) return [];
    const hop = station.isRouter ? paths.fromRouter(self, name) : paths.fromSegment(legs[0] ?? '', name);
    return hop === undefined
      ? []
      : [{ to: podCidr, via: hop.via, why: `pods of segment ${name}, through ${hop.router}` }];
  });
  return [...near.values(), ...far];
};
