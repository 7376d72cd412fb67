import type { Cluster, ClusterHost } from '../inventory/cluster.js';
import { forwardsOf } from '../inventory/lan-services.js';
import { type AspectFinding, type AspectStatus, aspects, assessAspect } from './aspects.js';
import { changeText, type InventoryChange } from './change.js';
import { allFailureDomains, type FailureDomain, failureDomainText, scenarioOf } from './failure-scenario.js';
import { brokenBy, fixesFor } from './remedies.js';

/** The state of a cluster after a failure. */
export interface ScenarioReport {
  /** What has failed, as a user types it. */
  readonly without: readonly string[];
  /** The worst of the findings. */
  readonly status: AspectStatus;
  /** The hosts that are down, in the order of the inventory. */
  readonly affects: readonly string[];
  readonly findings: readonly FindingWithFix[];
}

export interface FindingWithFix extends AspectFinding {
  /** Where the status is `fail`: the cheapest change after which it is not, if one was found. */
  readonly fix?: { readonly description: string; readonly steps: InventoryChange };
}

/** All these domains fail together. */
export const assess = (cluster: Cluster, failed: readonly FailureDomain[]): ScenarioReport => {
  const scenario = scenarioOf(cluster, failed);
  const findings = aspects.flatMap((aspect) => assessAspect(aspect, cluster, scenario) ?? []);
  const broken = findings.flatMap(({ aspect, status }) => (status === 'fail' ? [aspect] : []));
  const singles = singleFailures(cluster).map(([domain]) => ({ domain, breaks: brokenBy(cluster, [domain]) }));
  const fixes = broken.length === 0 ? undefined : fixesFor(broken, { cluster, failed, singles });
  return {
    without: failed.map(failureDomainText),
    status: worst(findings),
    affects: cluster.hosts.filter(({ name }) => scenario.hosts.has(name)).map(({ name }) => name),
    findings: findings.map((finding) => {
      const steps = fixes?.get(finding.aspect);
      return steps === undefined ? finding : { ...finding, fix: { description: changeText(cluster, steps), steps } };
    }),
  };
};

/** One report for every class of single failures, the worst first; `alike` are the other members of the class. */
export const assessEach = (cluster: Cluster): readonly (ScenarioReport & { readonly alike: readonly string[] })[] =>
  singleFailures(cluster)
    .map(([first, ...others]) => ({ ...assess(cluster, [first]), alike: others.map(failureDomainText) }))
    .toSorted((a, b) => severity(b) - severity(a));

const severity = ({ findings }: ScenarioReport): number =>
  findings.reduce((sum, { status }) => sum + { pass: 0, degraded: 1, fail: 100 }[status], 0);

const worst = (findings: readonly AspectFinding[]): AspectStatus =>
  (['fail', 'degraded'] as const).find((status) => findings.some((finding) => finding.status === status)) ?? 'pass';

/**
 * Everything that can fail alone, in classes whose members have the same effect: workers without another role, in the
 * same segment and on the same hypervisor, with the same GPUs and forwarded ports. Everything else is a class by itself.
 */
export const singleFailures = (cluster: Cluster): readonly (readonly [FailureDomain, ...FailureDomain[]])[] => {
  const forwards = forwardsOf(cluster);
  const portsTo = (host: ClusterHost) =>
    forwards.flatMap(({ port, targets }) => (targets.includes(host) ? [port] : []));
  const classes = new Map<string, [FailureDomain, ...FailureDomain[]]>();
  for (const domain of allFailureDomains(cluster)) {
    const host = domain.kind === 'host' ? cluster.hosts.find(({ name }) => name === domain.name) : undefined;
    const alike = host?.roles.length === 1 && host.roles[0] === 'worker' && host.address !== cluster.endpoint.address;
    const key = alike
      ? JSON.stringify([host.segment, host.hypervisor, host.gpu, portsTo(host)])
      : failureDomainText(domain);
    const known = classes.get(key);
    if (known === undefined) classes.set(key, [domain]);
    else known.push(domain);
  }
  return [...classes.values()];
};
