import { Failure, Failures } from '../failure.js';
import { type Observer, query, type RunOptions } from '../hosts/host.js';
import { lines, sh } from '../hosts/shell.js';
import { type Cluster, type ClusterHost, controlPlanes } from '../inventory/cluster.js';
import { adminConf } from './kubectl.js';
import { askKubectl, type KubectlAnswer, parseKubectlAnswer } from './kubectl-answer.js';

/** The pod CIDRs as the cluster itself has them. */
export interface NodeCidrs {
  /** By the name of the Node; empty for one that has none yet. */
  readonly nodes: ReadonlyMap<string, readonly string[]>;
  /** `pod-cidrs.json` of the ConfigMap kube-system/kbs, as the last run wrote it; absent where there is none. */
  readonly recorded?: string;
}

export type NodeCidrsAnswer =
  | ({ readonly state: 'answered' } & NodeCidrs)
  | Exclude<KubectlAnswer, { readonly state: 'answered' }>;

/** What a control plane is asked for them, as one query of a batch: it stands alone and always succeeds. */
export const nodeCidrsQuery = {
  name: 'pod CIDRs of the Nodes',
  callsApi: true as const,
  script: lines(
    askKubectl,
    sh`ask_kubectl ${adminConf} get nodes -o ${'jsonpath={range .items[*]}{.metadata.name} {.spec.podCIDRs[*]}{"\\n"}{end}'} </dev/null`,
  ),
};

/** The same with the record of the last run, for a machine that has lost it. */
export const recordScript = lines(
  nodeCidrsQuery.script,
  sh`printf '\\035'`,
  sh`ask_kubectl ${adminConf} -n kube-system get configmap kbs --ignore-not-found -o ${'jsonpath={.data.pod-cidrs\\.json}'} </dev/null`,
);

/** Reads what either script printed. */
export const parseNodeCidrs = (printed: string): NodeCidrsAnswer => {
  const [first = '', second] = printed.split('\x1d');
  const nodes = parseKubectlAnswer(first);
  const recorded = second === undefined ? ({ state: 'answered', output: '' } as const) : parseKubectlAnswer(second);
  if (nodes.state !== 'answered') return nodes;
  if (recorded.state !== 'answered') return recorded;
  const rows = nodes.output.split('\n').map((line) => line.split(' ').filter(Boolean));
  return {
    state: 'answered',
    nodes: new Map(rows.flatMap(([name, ...cidrs]) => (name === undefined ? [] : [[name, cidrs] as const]))),
    ...(recorded.output.trim() === '' ? {} : { recorded: recorded.output }),
  };
};

/**
 * Asks all control planes at once, for a run that needs to know before it observes: the first in the order of the
 * inventory whose API server answers counts. `not installed` only if that is so on every one of them. Throws where one
 * cannot be reached and no other answers.
 */
export const askNodeCidrs = async (
  cluster: Cluster,
  open: (host: ClusterHost) => Observer,
  limits: RunOptions = {},
): Promise<NodeCidrsAnswer> => {
  const asked = await Promise.all(
    controlPlanes(cluster).map(async (host) => {
      try {
        const { stdout } = await open(host).query(query(recordScript), { timeout: 60_000, ...limits });
        return { host, answer: parseNodeCidrs(stdout) };
      } catch (error) {
        if (error instanceof Failure && error.code !== 'interrupted') return { host, answer: error };
        throw error;
      }
    }),
  );
  const answers = asked.map(({ answer }) => answer);
  const answered = answers.find((answer) => !(answer instanceof Failure) && answer.state === 'answered');
  if (answered && !(answered instanceof Failure)) return answered;
  const failures = answers.filter((answer) => answer instanceof Failure);
  if (failures.length > 0) throw new Failures(failures);
  const reasons = asked.flatMap(({ host, answer }) =>
    !(answer instanceof Failure) && answer.state === 'not answered' ? [`${host.name}: ${answer.reason}`] : [],
  );
  return reasons.length > 0 ? { state: 'not answered', reason: reasons.join('; ') } : { state: 'not installed' };
};
