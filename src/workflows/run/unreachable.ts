import type { Observation } from '../../engine/observe.js';
import { Failure } from '../../failure.js';
import type { RunOptions } from '../../hosts/host.js';
import { controlPlanes, isApiHost } from '../../inventory/cluster.js';
import { selectApiHost } from '../../kubernetes/api-host.js';
import type { PhaseRun } from './phase-workflow.js';

/** The part of a run that depends on which hosts answer. */
type Reachable = Pick<PhaseRun, 'cluster' | 'pool' | 'joining' | 'without'>;

/**
 * The run without hosts that did not answer, as if the inventory asked nothing of them: nodes that should have joined,
 * and control planes that the others carry the cluster without. Undefined where it goes on as it is.
 */
export const excludeUnreachable = async <R extends Reachable>(
  run: R,
  unreachable: Observation['unreachable'],
  limits: RunOptions,
): Promise<{ readonly run: R; readonly absent: readonly string[] } | undefined> => {
  const { joining = [], without = [], cluster } = run;
  const lost = controlPlanes(cluster).filter(({ name }) => unreachable.has(name));
  const other = lost.length === 0 ? undefined : await otherThan(lost, run, limits);
  const missed = joining.filter((name) => unreachable.has(name));
  const absent = other === undefined ? missed : [...missed, ...lost.map(({ name }) => name)];
  if (absent.length === 0 || (lost.length > 0 && other === undefined)) return undefined;
  const needsOtherApiHost = lost.some((host) => isApiHost(host, cluster));
  return {
    absent,
    run: {
      ...run,
      ...(run.joining ? { joining: joining.filter((name) => !absent.includes(name)) } : {}),
      without: new Set([...without, ...absent]),
      cluster: needsOtherApiHost && other !== undefined ? { ...cluster, apiHost: other } : cluster,
    },
  };
};

/** A control plane whose API server answers, beside those: a majority of etcd is then with it. */
const otherThan = async (
  lost: readonly { readonly name: string }[],
  { cluster, pool }: Reachable,
  limits: RunOptions,
): Promise<string | undefined> => {
  const hosts = cluster.hosts.filter((host) => !lost.includes(host));
  try {
    return (await selectApiHost({ ...cluster, hosts }, pool, limits)).at.name;
  } catch (error) {
    if (error instanceof Failure && error.code === 'unreachable') return undefined;
    throw error;
  }
};
