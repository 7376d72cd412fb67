import { Failure } from '../failure.js';
import type { Cluster, RoutesByHost } from '../inventory/cluster.js';
import { type Target, type Trace, type TraceFault, tracerFor } from './trace.js';

/**
 * Walks every ordered pair of pod CIDRs through the routes, hop by hop. Empty means proven: every packet arrives,
 * without a loop, over next hops that are on-link, and answers pass the same routers as the packets they answer.
 * Pairs that fail at the same place are one failure.
 */
export const proveRoutes = (cluster: Cluster, routes: RoutesByHost): readonly Failure[] => {
  const targets = endpointsOf(cluster);
  const walk = tracerFor(cluster, routes);
  const journeys = new Map(targets.map((target) => [target.name, walk(target)]));
  const journey = (from: Endpoint, to: Endpoint): Trace => journeys.get(to.name)?.(from.name) ?? { through: [] };

  const findings = new Map<string, Finding>();
  for (const [index, a] of targets.entries()) {
    for (const b of targets.slice(index + 1)) {
      const there = journey(a, b);
      const back = journey(b, a);
      if ('fault' in there) note(findings, lost(there), a, b);
      if ('fault' in back) note(findings, lost(back), b, a);
      if ('fault' in there || 'fault' in back || areReversed(there.through, back.through)) continue;
      note(findings, asymmetric(there.through, back.through), a, b);
    }
  }
  const hosts = new Set(cluster.hosts.map(({ name }) => name));
  return [...findings.values()].map((finding) => failureOf(finding, hosts));
};

interface Endpoint extends Target {
  readonly segment: string;
}

const endpointsOf = (cluster: Cluster): readonly Endpoint[] =>
  cluster.hosts.flatMap(({ name, podCidr, segment }) => (podCidr === undefined ? [] : [{ name, podCidr, segment }]));

/** One thing that is wrong, and the pairs of hosts that it concerns. */
interface Finding extends Wrong {
  readonly pairs: { readonly from: Endpoint; readonly to: Endpoint }[];
}

interface Wrong {
  /** Findings with the same key are one. */
  readonly key: string;
  readonly at?: string;
  what(pods: string): string;
  readonly next: string;
}

const note = (findings: Map<string, Finding>, wrong: Wrong, from: Endpoint, to: Endpoint): void => {
  const key = `${wrong.key} ${to.segment}`;
  const finding = findings.get(key) ?? { ...wrong, pairs: [] };
  finding.pairs.push({ from, to });
  findings.set(key, finding);
};

const lost = ({ fault, at, next }: TraceFault): Wrong => {
  const hop = next.join(' → ');
  const key = `${fault} ${at} ${hop}`;
  switch (fault) {
    case 'no-route':
      return {
        key,
        at,
        what: (pods) => `${at} has no route to ${pods}`,
        next: 'Join the segments: list a router with an address in each of them, or give each a gateway.',
      };
    case 'off-link':
      return {
        key,
        at,
        what: (pods) => `${at} sends ${pods} to ${hop}, which is on none of its segments`,
        next: 'A next hop must be on the same segment: check the gateways and the addresses of routers.',
      };
    case 'nobody':
      return {
        key,
        at,
        what: (pods) => `${at} sends ${pods} to ${hop}, an address that no host and no router has`,
        next: 'Check the gateways and the addresses of routers.',
      };
    case 'does-not-forward':
      return {
        key,
        at,
        what: (pods) => `${at} sends ${pods} to ${hop}, which does not forward packets`,
        next: `Give ${hop} the role router, or send the packets to another machine.`,
      };
    case 'taken-for-local':
      return {
        key,
        at,
        what: (pods) => `${at} takes ${pods} for addresses of a segment it is on`,
        next: 'The pod network and the segments must not overlap.',
      };
    case 'loop':
      return {
        // The same circle, wherever a packet enters it.
        key: `loop ${next.slice(1).toSorted().join(' ')}`,
        what: (pods) => `Packets to ${pods} go round in a circle: ${hop}`,
        next: 'One of these machines must send them nearer to their segment.',
      };
  }
};

const asymmetric = (there: readonly string[], back: readonly string[]): Wrong => ({
  key: `asymmetric ${there.join(' ')} / ${back.join(' ')}`,
  what: (pods) => `Packets to ${pods} pass ${named(there)}, the answers ${named(back)}`,
  next: 'A strict rp_filter or a stateful firewall drops one of the two: send both through the same routers.',
});

const named = (through: readonly string[]): string => (through.length === 0 ? 'no router' : through.join(', '));

const areReversed = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name, index) => name === b[b.length - 1 - index]);

const shown = 5;

const failureOf = (finding: Finding, hosts: ReadonlySet<string>): Failure => {
  const { at, pairs, next } = finding;
  const cidrs = new Map(pairs.map(({ to }) => [to.podCidr, `${to.podCidr} (pods of ${to.name})`]));
  const more = cidrs.size > 1 ? ` and ${cidrs.size - 1} more of segment ${pairs[0]?.to.segment}` : '';
  return new Failure('inventory', finding.what(`${[...cidrs.values()][0]}${more}`), {
    where: at !== undefined && hosts.has(at) ? { host: at } : {},
    why: [
      ...pairs.slice(0, shown).map(({ from, to }) => `${from.name} to ${to.name}`),
      ...(pairs.length > shown ? [`and ${pairs.length - shown} more pairs of hosts`] : []),
    ],
    next,
  });
};
