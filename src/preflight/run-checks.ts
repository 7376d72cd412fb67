import { defined } from '../defined.js';
import { Failure } from '../failure.js';
import type { Check, CheckResult, ClusterFacts, FailedCheck } from './check.js';
import { checks } from './index.js';
import type { VipProbe } from './vip-probe.js';

/** By load balancer. */
export type VipProbes = ReadonlyMap<string, VipProbe>;

/** Runs every check of hosts and cluster on what was observed; passed ones are in the result too. */
export const runChecks = (facts: ClusterFacts, skipped: ReadonlySet<string> = new Set()): readonly CheckResult[] => {
  const observed = facts.cluster.hosts.flatMap((host) => {
    const of = facts.facts.get(host.name);
    return of === undefined ? [] : [{ host, of }];
  });
  return checks
    .filter(({ name }) => !skipped.has(name))
    .flatMap((check): readonly CheckResult[] => {
      if (check.scope === 'host') {
        return observed.flatMap(({ host, of }) => resultsOf(check, [host.name], check.check(host, of, facts.cluster)));
      }
      if (check.scope === 'cluster') return resultsOf(check, [...facts.facts.keys()], check.check(facts));
      return [];
    });
};

/** The same of the checks that need a probe. */
export const runProbeChecks = (
  probes: VipProbes,
  cluster: ClusterFacts['cluster'],
  skipped: ReadonlySet<string> = new Set(),
): readonly CheckResult[] =>
  checks
    .filter((check) => check.scope === 'probe')
    .filter(({ name }) => !skipped.has(name))
    .flatMap((check) => [...probes].flatMap(([host, probe]) => resultsOf(check, [host], check.check(probe, cluster))));

/** What a check found, in the form in which it is reported; where nothing failed, that it passed on these hosts. */
export const resultsOf = (
  { name, scope, summary, warns }: Check,
  hosts: readonly string[],
  failed: readonly (FailedCheck & Partial<Pick<CheckResult, 'hosts'>>)[],
): readonly CheckResult[] =>
  failed.length === 0
    ? [{ name, scope, hosts, ok: true, detail: summary }]
    : failed.map((one) => ({ name, scope, hosts, ...(warns ? { ok: true, warning: warns } : { ok: false }), ...one }));

/** The failed ones, to be thrown. */
export const failuresOf = (results: readonly CheckResult[]): readonly Failure[] =>
  results
    .filter(({ ok }) => !ok)
    .map(
      ({ name, hosts, detail, why, next }) =>
        new Failure('preflight', `${name}: ${detail}`, {
          ...(hosts.length === 0 ? {} : { where: { host: hosts.join(', ') } }),
          ...defined({ why, next }),
        }),
    );
