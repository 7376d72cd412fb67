import { referenceOf } from '../artifacts/artifacts.js';
import { defined } from '../defined.js';
import { Failure } from '../failure.js';
import type { RunOptions } from '../hosts/host.js';
import { type Cluster, type ClusterHost, controlPlanes, isNvidiaNode, nodes } from '../inventory/cluster.js';
import { unknownName } from '../inventory/did-you-mean.js';
import { firstAnsweringApiHost } from '../kubernetes/api-host.js';
import { keyringDirectory, readIngressCa } from '../pki/keyring.js';
import type { CheckResult } from '../verify/check-result.js';
import { verifyForwards } from '../verify/forwards.js';
import { verifyPulls } from '../verify/pulls.js';
import { verify } from '../verify/verify.js';
import { openNames } from './cluster-artifacts.js';
import { loadCluster } from './load-cluster.js';
import { withPool } from './run/pool.js';

export interface VerifyOptions {
  readonly acceptNewHostKeys: boolean;
  readonly say: (text: string) => void;
  /** An image that nodes pull; all of them where no names are given. */
  readonly pull?: { readonly image: string; readonly limit?: readonly string[] };
  /** For each step on a host. */
  readonly limits: Pick<RunOptions, 'signal' | 'timeout'>;
}

/** Verifies the cluster of an inventory; see `verify`. */
export const verifyInventory = async (
  file: string,
  { acceptNewHostKeys, say, pull, limits }: VerifyOptions,
): Promise<readonly CheckResult[]> => {
  const loaded = await loadCluster(file);
  const pullers = pullersOf(loaded.cluster, pull?.limit);
  const artifacts = await openNames(loaded);
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
    const forwards = await verifyForwards(loaded.cluster, open, { patience: 10_000, limits });
    if (pull === undefined) return [...results, ...forwards];
    say(`pulling ${pull.image}`);
    return [...results, ...forwards, ...(await verifyPulls(pull.image, pullers, open, limits))];
  });
};

const pullersOf = (cluster: Cluster, limit: readonly string[] | undefined): readonly ClusterHost[] => {
  const all = nodes(cluster);
  const names = all.map(({ name }) => name);
  const unknown = (limit ?? []).filter((name) => !names.includes(name));
  if (unknown.length > 0) throw unknownName('this cluster has no node', unknown, names);
  return limit === undefined ? all : all.filter(({ name }) => limit.includes(name));
};
