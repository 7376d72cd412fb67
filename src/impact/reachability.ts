import type { Cluster } from '../inventory/cluster.js';
import { pathsOf, routersOf } from '../network/segments-graph.js';
import type { FailureScenario } from './failure-scenario.js';

/** Which segments reach which once something is lost. */
export interface Reachability {
  /**
   * Whether a router that is left leads from one segment to the other, over segments that are left. The two ends
   * themselves may be lost: who lives there is another question, and more losses then never join what was apart.
   */
  joined(a: string, b: string): boolean;
  /** Whether that is the way that packets take already, without new routes. */
  untouched(a: string, b: string): boolean;
}

export const reachabilityOf = (cluster: Cluster, lost: FailureScenario): Reachability => {
  const left = routersOf(cluster)
    .filter(({ name }) => !lost.routers.has(name))
    .map(({ addresses }) => Object.keys(addresses));
  const ends = new Map<string, ReadonlySet<string>>();
  let ways: Ways | undefined;
  return {
    joined(a, b) {
      const known = ends.get(a) ?? spread(a, left, lost.segments);
      ends.set(a, known);
      return known.has(b);
    },
    untouched(a, b) {
      if (lost.routers.size === 0 && lost.segments.size === 0) return true;
      ways ??= waysOf(cluster);
      const way = ways(a, b);
      return (
        way !== undefined &&
        !way.routers.some((name) => lost.routers.has(name)) &&
        !way.segments.some((name) => lost.segments.has(name))
      );
    },
  };
};

/** Every segment that packets from this one come to; a lost segment is an end and no passage. */
const spread = (
  start: string,
  routers: readonly (readonly string[])[],
  lost: ReadonlySet<string>,
): ReadonlySet<string> => {
  const seen = new Set([start]);
  const open = [start];
  for (let here = open.pop(); here !== undefined; here = open.pop()) {
    for (const next of routers.filter((legs) => legs.includes(here)).flat()) {
      if (seen.has(next)) continue;
      seen.add(next);
      if (!lost.has(next)) open.push(next);
    }
  }
  return seen;
};

type Ways = (a: string, b: string) => Way | undefined;

interface Way {
  readonly routers: readonly string[];
  /** Those between the two ends. */
  readonly segments: readonly string[];
}

/** The way that the compiled routes take. */
const waysOf = (cluster: Cluster): Ways => {
  const paths = pathsOf(cluster);
  const routers = new Map(routersOf(cluster).map((router) => [router.name, router.addresses]));
  return (a, b) => {
    const way = { routers: [] as string[], segments: [] as string[] };
    let hop = a === b ? undefined : paths.fromSegment(a, b);
    if (hop === undefined) return a === b ? way : undefined;
    while (hop !== undefined) {
      way.routers.push(hop.router);
      if (routers.get(hop.router)?.[b] !== undefined) return way;
      const next = paths.fromRouter(hop.router, b);
      const between = Object.entries(routers.get(next?.router ?? '') ?? {}).find(([, via]) => via === next?.via)?.[0];
      if (between !== undefined) way.segments.push(between);
      hop = next;
    }
    return undefined;
  };
};
