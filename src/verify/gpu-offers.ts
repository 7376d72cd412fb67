import { splitOnce } from '../hosts/facts/facts.js';
import { type Host, query, type RunOptions } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { asRecords, splitRecords } from '../hosts/records.js';
import { raw, sh } from '../hosts/shell.js';
import type { ClusterHost } from '../inventory/cluster.js';
import { kubectl } from '../kubernetes/kubectl.js';
import { askUntil } from './until-proven.js';

/** What a node offers to pods of one sort of GPU. */
export interface GpuOffer {
  readonly node: ClusterHost;
  /** `nvidia.com/gpu`, or `nvidia.com/mig-1g.10gb` of an instance; the first where a node offers several. */
  readonly resource: string;
  /** Those that the device plugin has named, those of them that it calls healthy, and those that no pod has asked for. */
  readonly named: number;
  readonly healthy: number;
  readonly free: number;
  /** Why there are none: what the device plugin on the node last said; empty where nothing is known of it. */
  readonly why: string;
}

/**
 * Asks the API server which GPUs the nodes offer. As long as one offers none the question is repeated, until `patience`
 * (milliseconds) is over: the device plugin may just have been started.
 */
export const gpuOffers = (
  nodes: readonly ClusterHost[],
  host: Host,
  { patience, limits }: { readonly patience: number; readonly limits: RunOptions },
): Promise<readonly GpuOffer[]> =>
  askUntil<readonly GpuOffer[]>(
    (offers) => offers.every(({ healthy }) => healthy > 0),
    { patience, pause: 1_000 },
    async () => {
      const { stdout } = await host.query(query(question), { timeout: 120_000, ...limits });
      return readOffers(nodes, stdout);
    },
  );

const ask = raw(sh`${raw(kubectl)} --request-timeout=15s`);

/** The node, its capacity and what can be allocated of it; then of each pod its node, its phase and what it asks for. */
const question = asRecords(
  sh`${ask} get nodes -o jsonpath='{range .items[*]}{.metadata.name} {.status.capacity}\t{.status.allocatable}{"\\n"}{end}' </dev/null || :`,
  sh`${ask} get pods -A -o jsonpath='{range .items[*]}{.spec.nodeName} {.status.phase}{range .spec.containers[*]}\t{.resources.requests}{end}{"\\n"}{end}' </dev/null || :`,
  sh`for kbs_pod in $(${ask} -n kube-system get pods -l k8s-app=nvidia-device-plugin -o jsonpath='{range .items[*]}{.spec.nodeName}={.metadata.name}{"\\n"}{end}' </dev/null); do
  echo "\${kbs_pod%%=*} $(${ask} -n kube-system logs --tail=1 "\${kbs_pod#*=}" </dev/null 2>&1 | tail -n 1)"
done`,
);

const readOffers = (nodes: readonly ClusterHost[], output: string): readonly GpuOffer[] => {
  const [nodeLines = [], podLines = [], pluginLines = []] = splitRecords(output).map((part) =>
    part.trim().split('\n').filter(Boolean).map(splitOnce),
  );
  const amounts = new Map(nodeLines);
  const said = new Map(pluginLines);
  return nodes.map((node) => {
    const [capacity = {}, allocatable = {}] = (amounts.get(node.name) ?? '').split('\t').map(quantities);
    const [resource = 'nvidia.com/gpu'] = Object.keys(capacity)
      .filter((name) => name.startsWith('nvidia.com/'))
      .toSorted((one, other) => (allocatable[other] ?? 0) - (allocatable[one] ?? 0));
    const healthy = allocatable[resource] ?? 0;
    const taken = podLines
      .filter(([name, rest]) => name === node.name && !/^(Succeeded|Failed)\b/.test(rest))
      .flatMap(([, rest]) => rest.split('\t').slice(1).map(quantities))
      .reduce((sum, requests) => sum + (requests[resource] ?? 0), 0);
    return {
      node,
      resource,
      named: capacity[resource] ?? 0,
      healthy,
      free: Math.max(0, healthy - taken),
      why: lastLines(said.get(node.name) ?? '', 1).join(''),
    };
  });
};

/** The whole numbers in a map as kubectl prints it; empty where it printed none. */
const quantities = (text: string): Readonly<Record<string, number>> => {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null
      ? Object.fromEntries(
          Object.entries(parsed).flatMap(([name, value]) => (/^\d+$/.test(value) ? [[name, Number(value)]] : [])),
        )
      : {};
  } catch {
    return {};
  }
};
