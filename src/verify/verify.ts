import { type Host, mutation, type RunOptions } from '../hosts/host.js';
import { messageOf } from '../hosts/message.js';
import { raw, sh } from '../hosts/shell.js';
import type { Cluster } from '../inventory/cluster.js';
import { kubectl } from '../kubernetes/kubectl.js';
import type { CheckResult } from './check-result.js';
import { components } from './components.js';
import { probeChecks } from './probe-checks.js';
import { runProbes } from './run-probes.js';
import { startProbes } from './start.js';

export interface VerifyOptions {
  /** Distinguishes this run's namespace from that of a run that is still being cleaned up. */
  readonly label: string;
  /** The probe's image. */
  readonly image: string;
  readonly onStep: (text: string) => void;
  /** Given to everything that runs on the control plane; `timeout` is for one step, not for all of them together. */
  readonly limits?: Pick<RunOptions, 'signal' | 'timeout'>;
}

/**
 * Verifies a cluster with real packets. Probes run on every node for a few seconds and are asked through the API server.
 * A node whose probes do not start is a finding, and the others are asked without it. Throws only where verification
 * itself is not possible.
 *
 * Probes of an earlier run are deleted first, so one run at a time can verify a cluster.
 */
export const verify = async (
  cluster: Cluster,
  controlPlane: Host,
  { label, image, onStep, limits = {} }: VerifyOptions,
): Promise<readonly CheckResult[]> => {
  const namespace = `kbs-verify-${label}`;
  onStep('looking at nodes and components');
  const healthy = await components(cluster, controlPlane, { patience: 60_000, limits });
  try {
    onStep('starting a probe on every node');
    const { probes, service, findings } = await startProbes(cluster, controlPlane, { namespace, image, limits });
    const asked = probeChecks(cluster, probes, namespace, service);
    onStep(`asking ${asked.length} questions from ${probes.length} probes`);
    return [...healthy, ...findings, ...(await runProbes(controlPlane, namespace, probes, asked, limits))];
  } finally {
    await remove(controlPlane, namespace, onStep);
  }
};

/**
 * Without the caller's signal: after an interruption there is still something to delete. Without waiting for the end:
 * the next run does that. The results stay valid where this fails, so it is reported and not thrown.
 */
const remove = async (host: Host, namespace: string, onStep: (text: string) => void): Promise<void> => {
  const script = sh`${raw(kubectl)} --request-timeout=20s delete namespace ${namespace} --ignore-not-found --wait=false </dev/null`;
  const trouble = await host.mutate(mutation(script), { timeout: 30_000 }).then(
    ({ code, stderr }) => (code === 0 ? undefined : stderr.trim()),
    (error: unknown) => messageOf(error),
  );
  if (trouble !== undefined)
    onStep(`the namespace ${namespace} is still there, the next verify deletes it: ${trouble}`);
};
