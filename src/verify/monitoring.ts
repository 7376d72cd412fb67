import { type Host, query } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { raw, sh } from '../hosts/shell.js';
import { type Cluster, type ClusterHost, isControlPlane, isNode } from '../inventory/cluster.js';
import { metricSources } from '../inventory/metrics.js';
import { kubectl } from '../kubernetes/kubectl.js';
import type { AddonOptions } from './addon-options.js';
import type { CheckResult } from './check-result.js';
import { untilProven } from './until-proven.js';

/** Prometheus reads every target, and has one for each program of each host. */
export const verifyMonitoring = (
  cluster: Cluster,
  host: Host,
  { patience, limits }: Pick<AddonOptions, 'patience' | 'limits'>,
): Promise<readonly CheckResult[]> =>
  untilProven({ patience, pause: 2_000 }, async (elapsed) => {
    const output = await host.query(query(sh`${raw(kubectl)} --request-timeout=15s get --raw ${targetsPath}`), {
      timeout: 60_000,
      ...limits,
    });
    const said = output.code === 0 ? output.stdout : undefined;
    const why = lastLines(output.stderr, 1)[0] ?? 'the API server does not answer';
    return targetResults(cluster, said, why, elapsed());
  });

const targetsPath =
  '/api/v1/namespaces/monitoring/services/kube-prometheus-stack-prometheus:http-web/proxy/api/v1/targets?state=active';

/**
 * A result for each job, those of hosts first, from what Prometheus said of its targets; where it could not be asked, one
 * that says why.
 */
export const targetResults = (
  cluster: Cluster,
  said: string | undefined,
  why: string,
  ms: number,
): readonly CheckResult[] => {
  const targets = said === undefined ? undefined : targetsIn(said);
  if (targets === undefined) {
    const reason = said === undefined ? why : 'its answer is not that of Prometheus';
    return [{ proof, name: 'Prometheus', ok: false, detail: `cannot tell: ${reason}`, ms }];
  }
  const expected = expectedTargets(cluster);
  const jobs = new Set([...expected.map(({ job }) => job), ...targets.map(({ job }) => job)]);
  return [...jobs].map((job) => {
    const own = targets.filter((target) => target.job === job);
    const missing = expected.filter(
      (each) => each.job === job && !own.some((target) => target.address === each.address),
    );
    const down = own.filter(({ up }) => !up);
    const problems = [
      ...missing.map(({ host }) => `${host}: Prometheus has no such target`),
      ...down.map(({ instance, error }) => `${instance}: ${error}`),
    ];
    const detail = [`${own.length - down.length} of ${own.length + missing.length} up`, ...problems].join('; ');
    return { proof, name: job, ok: problems.length === 0, detail, ms };
  });
};

const proof = 'metrics targets';

interface Expected {
  readonly job: string;
  readonly host: string;
  readonly address: string;
}

/** What the inventory says that there must be; the other targets are the chart's own. */
const expectedTargets = (cluster: Cluster): readonly Expected[] =>
  cluster.hosts.flatMap((host) =>
    [...metricSources(host, cluster).map(({ job }) => job), ...jobsOfTheChart(host)].map((job) => ({
      job,
      host: host.name,
      address: host.address,
    })),
  );

const jobsOfTheChart = (host: ClusterHost): readonly string[] => [
  ...(isNode(host) ? ['kubelet'] : []),
  ...(isControlPlane(host) ? ['apiserver'] : []),
];

interface Target {
  readonly job: string;
  readonly instance: string;
  readonly address: string;
  readonly up: boolean;
  readonly error: string;
}

/** https://prometheus.io/docs/prometheus/latest/querying/api/#targets; one that was not read yet is `unknown`. */
interface Answer {
  readonly data?: {
    readonly activeTargets?: readonly {
      readonly labels: { readonly job: string; readonly instance: string };
      readonly scrapeUrl: string;
      readonly health: string;
      readonly lastError: string;
    }[];
  };
}

/** Undefined where the text is something else. */
const targetsIn = (said: string): readonly Target[] | undefined =>
  answerIn(said)?.data?.activeTargets?.map(({ labels: { job, instance }, scrapeUrl, health, lastError }) => ({
    job,
    instance,
    address: new URL(scrapeUrl).hostname,
    up: health === 'up',
    error: lastError === '' ? 'not read yet' : lastError,
  }));

const answerIn = (said: string): Answer | undefined => {
  try {
    return JSON.parse(said) as Answer;
  } catch {
    return undefined;
  }
};
