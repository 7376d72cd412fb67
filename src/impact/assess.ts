import type { Cluster } from '../inventory/cluster.js';
import { aspects, type Finding, judge, type Verdict } from './aspects.js';
import { type Change, changeText } from './change.js';
import { everyTarget, scenarioOf, type Target, targetText } from './failure-scenario.js';
import { brokenBy, remediesFor } from './remedies.js';

/** What becomes of a cluster that loses something. */
export interface Forecast {
  /** As a user types them. */
  readonly lose: readonly string[];
  /** The worst of the findings. */
  readonly verdict: Verdict;
  /** The hosts that are gone, in the order of the inventory. */
  readonly takes: readonly string[];
  readonly findings: readonly Assessment[];
}

export interface Assessment extends Finding {
  /** For a failure: the cheapest change that mends it, where one was found. */
  readonly mend?: { readonly says: string; readonly steps: Change };
}

/** All targets together. */
export const assess = (cluster: Cluster, targets: readonly Target[]): Forecast => {
  const lost = scenarioOf(cluster, targets);
  const findings = aspects.flatMap((aspect) => judge(aspect, cluster, lost) ?? []);
  const failed = findings.flatMap(({ aspect, verdict }) => (verdict === 'fail' ? [aspect] : []));
  const singles = singleLosses(cluster).map(([target]) => ({ target, ends: brokenBy(cluster, [target]) }));
  const mends = failed.length === 0 ? undefined : remediesFor(failed, { cluster, targets, singles });
  return {
    lose: targets.map(targetText),
    verdict: worst(findings),
    takes: cluster.hosts.filter(({ name }) => lost.hosts.has(name)).map(({ name }) => name),
    findings: findings.map((finding) => {
      const steps = mends?.get(finding.aspect);
      return steps === undefined ? finding : { ...finding, mend: { says: changeText(cluster, steps), steps } };
    }),
  };
};

/** One forecast for every sort of single loss, the worst first; `alike` are the other targets of which the same is true. */
export const assessEach = (cluster: Cluster): readonly (Forecast & { readonly alike: readonly string[] })[] =>
  singleLosses(cluster)
    .map(([first, ...others]) => ({ ...assess(cluster, [first]), alike: others.map(targetText) }))
    .toSorted((a, b) => gravity(b) - gravity(a));

const gravity = ({ findings }: Forecast): number =>
  findings.reduce((sum, { verdict }) => sum + { pass: 0, degraded: 1, fail: 100 }[verdict], 0);

const worst = (findings: readonly Finding[]): Verdict =>
  (['fail', 'degraded'] as const).find((verdict) => findings.some((finding) => finding.verdict === verdict)) ?? 'pass';

/**
 * Hosts of the same segment and hypervisor that are nothing but workers, with or without GPUs, are all the same to
 * every question here; other targets are each their own sort.
 */
export const singleLosses = (cluster: Cluster): readonly (readonly [Target, ...Target[]])[] => {
  const sorts = new Map<string, [Target, ...Target[]]>();
  for (const target of everyTarget(cluster)) {
    const host = target.kind === 'host' ? cluster.hosts.find(({ name }) => name === target.name) : undefined;
    const alike = host?.roles.length === 1 && host.roles[0] === 'worker' && host.address !== cluster.endpoint.address;
    const key = alike ? JSON.stringify([host.segment, host.hypervisor, host.gpu]) : targetText(target);
    const sort = sorts.get(key);
    if (sort === undefined) sorts.set(key, [target]);
    else sort.push(target);
  }
  return [...sorts.values()];
};
