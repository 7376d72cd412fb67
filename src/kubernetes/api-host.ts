import { Failure } from '../failure.js';
import { type Host, query, type RunOptions } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { messageOf } from '../hosts/message.js';
import type { Pool } from '../hosts/pool.js';
import { raw, type Script, sh } from '../hosts/shell.js';
import { type Cluster, type ClusterHost, controlPlanes } from '../inventory/cluster.js';
import { etcdctl, localEndpoint, ofOwnMember } from './etcdctl.js';
import { kubectl, kubectlAt, readyz } from './kubectl.js';

/** The control plane that kbs asks about the cluster. */
export interface ApiHost {
  readonly at: ClusterHost;
  readonly host: Host;
  /** kubectl there, for the API server of that host. */
  readonly kubectl: Script;
}

/** The first control plane of the inventory that can be reached and whose API server is ready. */
export const selectApiHost = (cluster: Cluster, pool: Pool, limits: RunOptions = {}): Promise<ApiHost> =>
  selectHost(cluster, pool, limits, (at) => readyz(kubectlAt(at)), {
    what: 'no API server answers',
    next: 'see what is wrong: kbs status; where etcd has lost its quorum: kbs etcd status',
  });

/** The first control plane of the inventory that can be reached and whose own etcd member answers, with or without a quorum. */
export const selectEtcdHost = (cluster: Cluster, pool: Pool, limits: RunOptions = {}): Promise<ApiHost> =>
  selectHost(cluster, pool, limits, () => ofOwnMember(sh`${raw(etcdctl([localEndpoint]))} endpoint status`), {
    what: 'no etcd member answers',
    next: 'see why on a control plane (kbs ssh HOST); where all data are lost: kbs etcd restore SNAPSHOT',
  });

/** All are asked at once. Of those that answer the first in the inventory is taken, so the choice does not depend on speed. */
const selectHost = async (
  cluster: Cluster,
  pool: Pool,
  limits: RunOptions,
  question: (at: ClusterHost) => Script,
  { what, next }: { readonly what: string; readonly next: string },
): Promise<ApiHost> => {
  const asked = controlPlanes(cluster).map((at) => {
    const host = pool.host(at);
    const answer = host.query(query(question(at)), { timeout: 30_000, ...limits }).then(
      ({ code, stdout, stderr }) => (code === 0 ? undefined : (lastLines(stderr + stdout, 1)[0] ?? `status ${code}`)),
      (error: unknown) => messageOf(error),
    );
    return { at, host, answer };
  });
  const why: string[] = [];
  for (const { at, host, answer } of asked) {
    const reason = await answer;
    if (reason === undefined) return { at, host, kubectl: kubectlAt(at) };
    why.push(`${at.name}: ${reason}`);
  }
  if (limits.signal?.aborted) throw new Failure('interrupted', 'interrupted while the control planes were asked');
  throw new Failure('unreachable', what, { why, next });
};

/**
 * For queries: the control plane whose API server answers first. Where none answers, one that can be reached, so that
 * its output says why. Undefined where there is no candidate.
 */
export const firstAnsweringApiHost = async (
  candidates: readonly ClusterHost[],
  open: (host: ClusterHost) => Pick<Host, 'query'>,
  limits: RunOptions,
): Promise<ClusterHost | undefined> => {
  if (candidates.length < 2) return candidates[0];
  const asked = candidates.map(async (host) => {
    const { code } = await open(host).query(query(readyz(kubectl)), {
      timeout: 60_000,
      ...limits,
    });
    return { host, answers: code === 0 };
  });
  const ready = asked.map((one) =>
    one.then(({ host, answers }) => (answers ? host : Promise.reject(new Error(`${host.name} has no API server`)))),
  );
  const reached = () => Promise.any(asked).then(({ host }) => host);
  return Promise.any(ready)
    .catch(reached)
    .catch(() => candidates[0]);
};
