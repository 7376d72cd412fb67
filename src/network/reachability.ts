import { Failure } from '../failure.js';
import type { Cluster, RoutesByHost } from '../inventory/cluster.js';
import { familiesOf } from './segments-graph.js';
import { type LostPacket, type PodDestination, type Trace, tracerFor } from './trace.js';

/**
 * Traces packets between every ordered pair of pod CIDRs through the routes, hop by hop. Empty means proven: every
 * packet arrives, without a loop, over next hops that are on-link, and answers pass the same routers as the packets
 * they answer. Pairs that fail for the same reason at the same machine are one failure. Of both families each is traced.
 */
export const proveRoutes = (cluster: Cluster, routes: RoutesByHost): readonly Failure[] =>
  familiesOf(cluster).flatMap((half) => proveHalf(half, routes));

const proveHalf = (cluster: Cluster, routes: RoutesByHost): readonly Failure[] => {
  const podHosts = podHostsOf(cluster);
  const tracer = tracerFor(cluster, routes);
  const traces = new Map(podHosts.map((host) => [host.name, tracer(host)]));
  const trace = (from: PodHost, to: PodHost): Trace => traces.get(to.name)?.(from.name) ?? { through: [] };

  const defects = new Map<string, DefectWithPairs>();
  for (const [index, a] of podHosts.entries()) {
    for (const b of podHosts.slice(index + 1)) {
      const there = trace(a, b);
      const back = trace(b, a);
      if ('reason' in there) record(defects, lossDefect(there), a, b);
      if ('reason' in back) record(defects, lossDefect(back), b, a);
      if ('reason' in there || 'reason' in back || areReversed(there.through, back.through)) continue;
      record(defects, asymmetryDefect(there.through, back.through), a, b);
    }
  }
  const hosts = new Set(cluster.hosts.map(({ name }) => name));
  return [...defects.values()].map((defect) => failureOf(defect, hosts));
};

interface PodHost extends PodDestination {
  readonly segment: string;
}

const podHostsOf = (cluster: Cluster): readonly PodHost[] =>
  cluster.hosts.flatMap(({ name, podCidr, segment }) => (podCidr === undefined ? [] : [{ name, podCidr, segment }]));

/** What is wrong with the routes. */
interface RouteDefect {
  /** Defects with the same key and destination segment are one. */
  readonly key: string;
  /** The machine that drops the packets or sends them the wrong way. */
  readonly at?: string;
  /** The sentence about packets to these pods. */
  what(pods: string): string;
  readonly next: string;
}

interface DefectWithPairs extends RouteDefect {
  /** The hosts whose packets are affected. */
  readonly pairs: { readonly from: PodHost; readonly to: PodHost }[];
}

const record = (defects: Map<string, DefectWithPairs>, found: RouteDefect, from: PodHost, to: PodHost): void => {
  const key = `${found.key} ${to.segment}`;
  const defect = defects.get(key) ?? { ...found, pairs: [] };
  defect.pairs.push({ from, to });
  defects.set(key, defect);
};

const lossDefect = ({ reason, at, next }: LostPacket): RouteDefect => {
  const hop = next.join(' → ');
  const key = `${reason} ${at} ${hop}`;
  switch (reason) {
    case 'no-route':
      return {
        key,
        at,
        what: (pods) => `${at} has no route to ${pods}`,
        next: 'join the segments: list a router with an address in each of them, or give each a gateway',
      };
    case 'off-link':
      return {
        key,
        at,
        what: (pods) => `${at} sends ${pods} to ${hop}, which is on none of its segments`,
        next: 'a next hop must be on the same segment: check the gateways and the addresses of routers',
      };
    case 'unknown-next-hop':
      return {
        key,
        at,
        what: (pods) => `${at} sends ${pods} to ${hop}, which is not the address of any host or router`,
        next: 'check the gateways and the addresses of routers',
      };
    case 'does-not-forward':
      return {
        key,
        at,
        what: (pods) => `${at} sends ${pods} to ${hop}, which does not forward packets`,
        next: `give ${hop} the role router, or send the packets to another machine`,
      };
    case 'taken-for-local':
      return {
        key,
        at,
        what: (pods) => `${at} takes ${pods} for addresses of a segment it is on`,
        next: 'choose a pod network that overlaps no segment',
      };
    case 'loop':
      return {
        // The same loop, wherever a packet enters it.
        key: `loop ${next.slice(1).toSorted().join(' ')}`,
        what: (pods) => `Packets to ${pods} go in a loop: ${hop}`,
        next: 'change the route on one of these machines so that it leads to the segment',
      };
  }
};

const asymmetryDefect = (there: readonly string[], back: readonly string[]): RouteDefect => ({
  key: `asymmetric ${there.join(' ')} / ${back.join(' ')}`,
  what: (pods) => `Packets to ${pods} pass ${named(there)}, the answers ${named(back)}`,
  next: 'send both through the same routers: a strict rp_filter or a stateful firewall drops one of the two',
});

const named = (through: readonly string[]): string => (through.length === 0 ? 'no router' : through.join(', '));

const areReversed = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name, index) => name === b[b.length - 1 - index]);

const shown = 5;

const failureOf = (defect: DefectWithPairs, hosts: ReadonlySet<string>): Failure => {
  const { at, pairs, next } = defect;
  const cidrs = new Map(pairs.map(({ to }) => [to.podCidr, `${to.podCidr} (pods of ${to.name})`]));
  const more = cidrs.size > 1 ? ` and ${cidrs.size - 1} more of segment ${pairs[0]?.to.segment}` : '';
  return new Failure('inventory', defect.what(`${[...cidrs.values()][0]}${more}`), {
    where: at !== undefined && hosts.has(at) ? { host: at } : {},
    why: [
      ...pairs.slice(0, shown).map(({ from, to }) => `${from.name} to ${to.name}`),
      ...(pairs.length > shown ? [`and ${pairs.length - shown} more pairs of hosts`] : []),
    ],
    next,
  });
};
