import type { Cluster } from '../inventory/cluster.js';
import { pathsOf, routersOf } from '../network/segments-graph.js';
import type { FailureScenario } from './failure-scenario.js';

/** Which segments reach which after a failure. */
export interface Reachability {
  /**
   * Whether a router that is up leads from one segment to the other, over segments that are up. The two ends
   * themselves may be down: whether their hosts are is assessed elsewhere, and so a larger failure never joins more.
   */
  joined(a: string, b: string): boolean;
  /** Whether packets still take the path that they took before, without new routes. */
  unchanged(a: string, b: string): boolean;
}

export const reachabilityOf = (cluster: Cluster, down: FailureScenario): Reachability => {
  const routersUp = routersOf(cluster)
    .filter(({ name }) => !down.routers.has(name))
    .map(({ addresses }) => Object.keys(addresses));
  const reachable = new Map<string, ReadonlySet<string>>();
  let pathBetween: PathBetween | undefined;
  return {
    joined(a, b) {
      const known = reachable.get(a) ?? reachableFrom(a, routersUp, down.segments);
      reachable.set(a, known);
      return known.has(b);
    },
    unchanged(a, b) {
      if (down.routers.size === 0 && down.segments.size === 0) return true;
      pathBetween ??= pathBetweenSegments(cluster);
      const path = pathBetween(a, b);
      return (
        path !== undefined &&
        !path.routers.some((name) => down.routers.has(name)) &&
        !path.segments.some((name) => down.segments.has(name))
      );
    },
  };
};

/** Every segment that packets from this one reach; a segment that is down can be reached but not passed. */
const reachableFrom = (
  start: string,
  routers: readonly (readonly string[])[],
  down: ReadonlySet<string>,
): ReadonlySet<string> => {
  const seen = new Set([start]);
  const open = [start];
  for (let here = open.pop(); here !== undefined; here = open.pop()) {
    for (const next of routers.filter((segments) => segments.includes(here)).flat()) {
      if (seen.has(next)) continue;
      seen.add(next);
      if (!down.has(next)) open.push(next);
    }
  }
  return seen;
};

type PathBetween = (a: string, b: string) => SegmentPath | undefined;

interface SegmentPath {
  readonly routers: readonly string[];
  /** Those between the two ends. */
  readonly segments: readonly string[];
}

/** The path that the compiled routes take. */
const pathBetweenSegments = (cluster: Cluster): PathBetween => {
  const paths = pathsOf(cluster);
  const routers = new Map(routersOf(cluster).map((router) => [router.name, router.addresses]));
  return (a, b) => {
    const path = { routers: [] as string[], segments: [] as string[] };
    let hop = a === b ? undefined : paths.fromSegment(a, b);
    if (hop === undefined) return a === b ? path : undefined;
    while (hop !== undefined) {
      path.routers.push(hop.router);
      if (routers.get(hop.router)?.[b] !== undefined) return path;
      const next = paths.fromRouter(hop.router, b);
      const between = Object.entries(routers.get(next?.router ?? '') ?? {}).find(([, via]) => via === next?.via)?.[0];
      if (between !== undefined) path.segments.push(between);
      hop = next;
    }
    return undefined;
  };
};
