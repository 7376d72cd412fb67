import { Failure } from '../failure.js';
import { type Host, mutation, query, type RunOptions } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { asRecords, splitRecords } from '../hosts/records.js';
import { lines, raw, sh, untilTrue } from '../hosts/shell.js';
import { type Cluster, isNvidiaNode } from '../inventory/cluster.js';
import { kubectl } from '../kubernetes/kubectl.js';
import type { KubeObject } from '../resources/resource.js';
import { applying } from './applying.js';
import type { CheckResult } from './check-result.js';
import { type GpuOffer, gpuOffers } from './gpu-offers.js';
import { type PodItem, podsIn, stateOf } from './probes.js';

export interface GpuOptions {
  readonly namespace: string;
  /** An image with `gpu-probe`. */
  readonly image: string;
  /** How long a node may take to offer its GPUs, in milliseconds. */
  readonly patience: number;
  readonly limits: RunOptions;
}

/**
 * Checks on every node with NVIDIA's GPUs that it offers them, and that a pod which asks for one gets one that the driver
 * answers for. A second pod gets another one, or none where there is no other. GPUs that other pods hold are left to them.
 */
export const verifyGpus = async (
  cluster: Cluster,
  host: Host,
  { namespace, image, patience, limits }: GpuOptions,
): Promise<readonly CheckResult[]> => {
  const nodes = cluster.hosts.filter(isNvidiaNode);
  if (nodes.length === 0) return [];
  const begun = Date.now();
  const offers = await gpuOffers(nodes, host, { patience, limits });
  const offered = offers.map((offer) => offerResult(offer, Date.now() - begun));
  const tried = offers.filter(({ free }) => free > 0);
  if (tried.length === 0) return offered;
  const seen = await runPods(
    host,
    tried.flatMap((offer) => gpuPods(offer, image)),
    namespace,
    limits,
  );
  return [...offered, ...tried.flatMap((offer) => podResults(offer, seen, Date.now() - begun))];
};

const offerResult = ({ node, resource, named, healthy, free, why }: GpuOffer, ms: number): CheckResult => {
  const result = { proof: 'GPU', name: `${node.name} offers ${resource}`, ms };
  if (named === 0) {
    const plugin = why === '' ? 'no device plugin runs there' : `its device plugin last said: ${why}`;
    return { ...result, ok: false, detail: `the node offers none: ${plugin}` };
  }
  if (healthy < named) {
    const detail = `${healthy} of ${named} can be allocated; the device plugin calls the others unhealthy, or is gone (kubectl -n kube-system logs -l k8s-app=nvidia-device-plugin)`;
    return { ...result, ok: false, detail };
  }
  return {
    ...result,
    ok: true,
    detail: `${healthy}, ${free === 0 ? 'and pods hold all of them' : `${free} of them free`}`,
  };
};

const turns = ['first', 'second'] as const;

const podName = ({ node }: GpuOffer, turn: (typeof turns)[number]): string => `gpu-${turn}-${node.name}`;

/** The scheduler places them, as it does with any pod: it counts the GPUs. */
const gpuPods = (offer: GpuOffer, image: string): readonly KubeObject[] =>
  turns.map((turn) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: podName(offer, turn), labels: { 'kbs.dev/probe': 'gpu' } },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      nodeSelector: { 'kubernetes.io/hostname': offer.node.name },
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          name: 'gpu-probe',
          image,
          imagePullPolicy: 'IfNotPresent',
          command: ['gpu-probe'],
          resources: { limits: { [offer.resource]: 1 } },
        },
      ],
    },
  }));

/** A pod as it was at the end, and what it printed. */
interface SeenPod {
  readonly item: PodItem;
  readonly printed: string;
}

/** Runs the pods until each runs, has ended or has no place, a minute at most; by their names. */
const runPods = async (
  host: Host,
  pods: readonly KubeObject[],
  namespace: string,
  limits: RunOptions,
): Promise<ReadonlyMap<string, SeenPod>> => {
  const { script: apply, payload } = applying(pods, namespace);
  const ask = raw(sh`${raw(kubectl)} --request-timeout=10s -n ${namespace}`);
  const settled = sh`${ask} get pods -l kbs.dev/probe=gpu -o jsonpath='{range .items[*]}{.status.phase} {.status.conditions[?(@.type=="PodScheduled")].status}{"\\n"}{end}' </dev/null |
  awk '$1 == "Pending" && $2 != "False" { waiting = 1 } END { exit waiting || NR < ${pods.length} }'`;
  const script = lines(apply, untilTrue(settled, { seconds: 60, otherwise: sh`break`, pause: 1 }));
  const bounded = { timeout: 120_000, ...limits };
  const { code, stderr } = await host.mutate(mutation(script, [payload]), bounded);
  if (code !== 0) {
    throw new Failure('refused', 'the API server rejects the pods that ask for GPUs', {
      where: { host: host.name, resource: `namespace ${namespace}` },
      why: lastLines(stderr, 3),
      next: 'see which component fails: kbs status',
    });
  }
  const names = pods.map(({ metadata }) => metadata.name);
  const logs = names.map(
    // What a container has just printed takes a moment to be there.
    (name) => sh`for kbs_try in 1 2 3 4 5 6; do
  kbs_said=$(${ask} logs ${name} </dev/null 2>/dev/null || :)
  [ -z "$kbs_said" ] || break
  [ "$(${ask} get pod ${name} -o jsonpath='{.status.phase}' </dev/null)" = Running ] || break
  sleep 0.5
done
printf '%s\\n' "$kbs_said"`,
  );
  const { stdout } = await host.query(
    query(asRecords(sh`${ask} get pods -l kbs.dev/probe=gpu -o json </dev/null`, ...logs)),
    bounded,
  );
  const [list = '', ...printed] = splitRecords(stdout);
  const items = new Map(podsIn(list.trim() === '' ? '{"items":[]}' : list).map((item) => [item.metadata.name, item]));
  return new Map(
    names.flatMap((name, index) => {
      const item = items.get(name);
      return item ? [[name, { item, printed: printed[index]?.trim() ?? '' }] as const] : [];
    }),
  );
};

/** Either of the two may have been the first to get one. */
const podResults = (offer: GpuOffer, seen: ReadonlyMap<string, SeenPod>, ms: number): readonly CheckResult[] => {
  const pods = turns.map((turn) => seen.get(podName(offer, turn)));
  const [one, other] = pods.toSorted((a, b) => Number(isRunning(b)) - Number(isRunning(a)));
  const about = (name: string) => ({ proof: 'GPU', name: `${offer.node.name}: ${name}`, ms });
  const first = { ...about('a pod that asks for one gets it'), ...gotOne(one) };
  if (!first.ok) return [first];
  return [first, { ...about('a second pod gets another one or none'), ...gotAnother(offer, one, other) }];
};

type Verdict = Pick<CheckResult, 'ok' | 'detail'>;

const isRunning = (pod: SeenPod | undefined): boolean => pod?.item.status.phase === 'Running';

const gotOne = (pod: SeenPod | undefined): Verdict => {
  if (pod === undefined || !isRunning(pod)) return { ok: false, detail: holdUp(pod) };
  const report = readReport(pod.printed);
  if (report === undefined) return { ok: false, detail: `the probe did not answer: ${pod.printed.slice(0, 200)}` };
  const { gpus, nodes, driver, visible, error } = report;
  const files = `${nodes.join(' ') || 'no /dev/nvidia*'}, NVIDIA_VISIBLE_DEVICES=${visible || '(not set)'}`;
  const [gpu] = gpus;
  if (error !== undefined) return { ok: false, detail: `${error} (${files})` };
  if (gpu === undefined) return { ok: false, detail: `the driver shows no GPU in the container (${files})` };
  if (gpus.length > 1) return { ok: false, detail: `it asked for one and sees ${gpus.length} (${files})` };
  return { ok: true, detail: `${gpu.name}, ${gpu.memory} MiB, driver ${driver} (${files})` };
};

const gotAnother = ({ node, free }: GpuOffer, one: SeenPod | undefined, other: SeenPod | undefined): Verdict => {
  if (!isRunning(other)) {
    return free === 1 ? { ok: true, detail: 'gets none: there is no other' } : { ok: false, detail: holdUp(other) };
  }
  const verdict = gotOne(other);
  const [mine, its] = [one, other].map((pod) => readReport(pod?.printed ?? '')?.gpus[0]?.uuid);
  if (!verdict.ok || mine !== its) return verdict;
  return node.nvidia?.timeSlicing === undefined
    ? { ok: false, detail: `both pods have ${mine}, which the inventory does not share` }
    : { ok: true, detail: `shares ${mine} with the first one` };
};

const holdUp = (pod: SeenPod | undefined): string => {
  const why = pod?.item.status.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  return [stateOf(pod?.item), why?.message].filter(Boolean).join(': ');
};

/** What `gpu-probe` prints. */
interface Report {
  readonly nodes: readonly string[];
  readonly visible: string;
  readonly driver?: string;
  readonly gpus: readonly { readonly uuid: string; readonly name: string; readonly memory: number }[];
  readonly error?: string;
}

const readReport = (printed: string): Report | undefined => {
  const line = printed.split('\n').find((text) => text.startsWith('{"nodes":'));
  return line === undefined ? undefined : (JSON.parse(line) as Report);
};
