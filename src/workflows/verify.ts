import { referenceOf } from '../artifacts/artifacts.js';
import { defined } from '../defined.js';
import { Failure } from '../failure.js';
import type { RunOptions } from '../hosts/host.js';
import { type ClusterHost, controlPlanes, isNvidiaNode } from '../inventory/cluster.js';
import { firstAnsweringApiHost } from '../kubernetes/api-host.js';
import { keyringDirectory, readIngressCa } from '../pki/keyring.js';
import type { CheckResult } from '../verify/check-result.js';
import { verifyForwards } from '../verify/forwards.js';
import { verify } from '../verify/verify.js';
import { loadCluster, openBundleOf } from './load-cluster.js';
import { withPool } from './run/pool.js';

export interface VerifyOptions {
  readonly acceptNewHostKeys: boolean;
  readonly say: (text: string) => void;
  /** For each step on a host. */
  readonly limits: Pick<RunOptions, 'signal' | 'timeout'>;
}

/** Verifies the cluster of an inventory; see `verify`. */
export const verifyInventory = async (
  file: string,
  { acceptNewHostKeys, say, limits }: VerifyOptions,
): Promise<readonly CheckResult[]> => {
  const loaded = await loadCluster(file);
  const artifacts = await openBundleOf(loaded);
  return withPool(acceptNewHostKeys, async (pool) => {
    const apiHost = await firstAnsweringApiHost(controlPlanes(loaded.cluster), (host) => pool.host(host), limits);
    if (!apiHost) throw new Failure('inventory', 'the inventory has no control plane');
    const results = await verify(loaded.cluster, pool.host(apiHost), {
      image: referenceOf(artifacts, 'probe'),
      // A bundle of what projects publish has none.
      ...(loaded.cluster.hosts.some(isNvidiaNode) ? { gpuImage: referenceOf(artifacts, 'nvidia-device-plugin') } : {}),
      ...(loaded.cluster.addons?.length ? { shellImage: referenceOf(artifacts, 'busybox') } : {}),
      ...defined({ ingressCa: await readIngressCa(keyringDirectory(loaded.inventory, loaded.cluster.name)) }),
      label: Date.now().toString(36),
      onStep: say,
      hostOf: (each) => pool.host(each),
      limits,
    });
    const open = (host: ClusterHost) => pool.host(host);
    return [...results, ...(await verifyForwards(loaded.cluster, open, { patience: 10_000, limits }))];
  });
};
