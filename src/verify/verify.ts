import { defined } from '../defined.js';
import { type Host, mutation, type RunOptions } from '../hosts/host.js';
import { messageOf } from '../hosts/message.js';
import { raw, sh } from '../hosts/shell.js';
import type { Cluster, ClusterHost } from '../inventory/cluster.js';
import { kubectl } from '../kubernetes/kubectl.js';
import { verifyAddons } from './addons.js';
import type { CheckResult } from './check-result.js';
import { components } from './components.js';
import { verifyGpus } from './gpu.js';
import { probeChecks } from './probe-checks.js';
import { runProbes } from './run-probes.js';
import { startProbes } from './start.js';

export interface VerifyOptions {
  /** Distinguishes this run's namespace from that of a run that is still being cleaned up. */
  readonly label: string;
  /** The probe's image. */
  readonly image: string;
  /** The image of the probe that asks for GPUs; absent where no node has any. */
  readonly gpuImage?: string;
  /** An image with a shell; absent where no add-on needs one. */
  readonly shellImage?: string;
  /** PEM of the ingress controller's authority; absent where there is none. */
  readonly ingressCa?: string;
  readonly onStep: (text: string) => void;
  /** A host of the inventory. */
  readonly hostOf: (host: ClusterHost) => Host;
  /** Given to everything that runs on the control plane; `timeout` is for one step, not for all of them together. */
  readonly limits?: Pick<RunOptions, 'signal' | 'timeout'>;
}

/**
 * Checks with real packets that the cluster's networks, DNS and API endpoint work, that pods get GPUs, and that add-ons do what they are for. Probes run on every node for a few
 * seconds; they get their requests and give their answers through the API server. A node whose probes do not start is
 * a failed result, and the others are checked without it. Throws only when no probe can be started.
 *
 * Probes that an earlier run left behind are deleted first, so one cluster is verified by one run at a time.
 */
export const verify = async (
  cluster: Cluster,
  controlPlane: Host,
  { label, image, gpuImage, shellImage, ingressCa, onStep, hostOf, limits = {} }: VerifyOptions,
): Promise<readonly CheckResult[]> => {
  const namespace = `kbs-verify-${label}`;
  onStep('checking nodes and components');
  const healthy = await components(cluster, controlPlane, { patience: 60_000, limits });
  try {
    onStep('starting a probe on every node');
    const { probes, service, results } = await startProbes(cluster, controlPlane, { namespace, image, limits });
    const asked = probeChecks(cluster, probes, namespace, service);
    onStep(`running ${asked.length} checks from ${probes.length} probes`);
    const answers = await runProbes(controlPlane, namespace, probes, asked, limits);
    const gpus =
      gpuImage === undefined
        ? []
        : await verifyGpus(cluster, controlPlane, { namespace, image: gpuImage, patience: 60_000, limits });
    if (cluster.addons?.length) onStep('checking add-ons');
    const options = { namespace, patience: 90_000, probes, hostOf, limits, ...defined({ shellImage, ingressCa }) };
    const addons = await verifyAddons(cluster, controlPlane, options);
    return [...healthy, ...results, ...answers, ...gpus, ...addons];
  } finally {
    await remove(controlPlane, namespace, onStep);
  }
};

/**
 * Without the caller's signal: after an interruption the probes are still there. Without waiting for the end: the next
 * run does that. A failure is reported and not thrown: it does not change what was verified.
 */
const remove = async (host: Host, namespace: string, onStep: (text: string) => void): Promise<void> => {
  const script = sh`${raw(kubectl)} --request-timeout=20s delete namespace ${namespace} --ignore-not-found --wait=false </dev/null`;
  const problem = await host.mutate(mutation(script), { timeout: 30_000 }).then(
    ({ code, stderr }) => (code === 0 ? undefined : stderr.trim()),
    (error: unknown) => messageOf(error),
  );
  if (problem !== undefined)
    onStep(`the namespace ${namespace} is still there, the next verify deletes it: ${problem}`);
};
