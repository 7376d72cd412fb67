import { type Host, query } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { raw, sh } from '../hosts/shell.js';
import { type ClusterHost, isNode } from '../inventory/cluster.js';
import { kubectl } from '../kubernetes/kubectl.js';
import type { AddonOptions } from './addon-options.js';
import type { CheckResult } from './check-result.js';
import { untilProven } from './until-proven.js';

/** metrics-server has CPU and memory of every node, from a kubelet whose certificate it has checked. */
export const verifyMetrics = (
  hosts: readonly ClusterHost[],
  host: Host,
  { patience, limits }: Pick<AddonOptions, 'patience' | 'limits'>,
): Promise<readonly CheckResult[]> =>
  untilProven({ patience, pause: 2_000 }, async (elapsed) => {
    const output = await host.query(
      query(sh`${raw(kubectl)} --request-timeout=15s get --raw /apis/metrics.k8s.io/v1beta1/nodes`),
      { timeout: 60_000, ...limits },
    );
    const why = output.code === 0 ? undefined : (lastLines(output.stderr, 1)[0] ?? 'the API server does not answer');
    return metricsResults(hosts, why ?? output.stdout, why !== undefined, elapsed());
  });

/** A result for each node, from what the metrics API answered, or from why it did not. */
export const metricsResults = (
  hosts: readonly ClusterHost[],
  said: string,
  failed: boolean,
  ms: number,
): readonly CheckResult[] => {
  const usages = failed ? new Map<string, Usage>() : usagesIn(said);
  return hosts.filter(isNode).map(({ name }) => {
    const usage = usages.get(name);
    const detail = failed ? said : usage ? `${usage.cpu} CPU, ${usage.memory} memory` : 'no metrics of this node';
    return { proof: 'metrics', name, ok: usage !== undefined, detail, ms };
  });
};

interface Usage {
  readonly cpu: string;
  readonly memory: string;
}

/** By the name of the node: https://github.com/kubernetes/metrics, NodeMetricsList. */
const usagesIn = (json: string): ReadonlyMap<string, Usage> => {
  const { items } = JSON.parse(json) as {
    readonly items: readonly { readonly metadata: { readonly name: string }; readonly usage: Usage }[];
  };
  return new Map(items.map(({ metadata, usage }) => [metadata.name, usage]));
};
