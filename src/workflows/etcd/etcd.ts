import { Failure } from '../../failure.js';
import { mutation, query, type RunOptions } from '../../hosts/host.js';
import { lastLines } from '../../hosts/last-lines.js';
import type { Cluster } from '../../inventory/cluster.js';
import { type ApiHost, selectEtcdHost } from '../../kubernetes/api-host.js';
import {
  canBeDefragmented,
  hasQuorum,
  isFull,
  type Member,
  membersOf,
  titleOf,
} from '../../kubernetes/etcd-members.js';
import { etcdctl, localEndpoint } from '../../kubernetes/etcdctl.js';
import { loadCluster } from '../load-cluster.js';
import { withPool } from '../run/launch.js';
import { holdingLock } from '../run/lock.js';

export interface EtcdOptions {
  readonly acceptNewHostKeys: boolean;
  readonly say: (text: string) => void;
  /** For each step. */
  readonly limits: Pick<RunOptions, 'signal' | 'timeout'>;
}

export interface EtcdStatus {
  readonly cluster: string;
  /** The control plane that was asked. */
  readonly asked: string;
  readonly quorum: boolean;
  readonly members: readonly Member[];
}

/** All members as a control plane sees them, whether they are well or not. */
export const etcdStatus = async (file: string, { acceptNewHostKeys, limits }: EtcdOptions): Promise<EtcdStatus> => {
  const { cluster } = await loadCluster(file);
  return withPool(acceptNewHostKeys, async (pool) => {
    const apiHost = await selectEtcdHost(cluster, pool, limits);
    const members = await membersOf(apiHost, cluster, limits);
    return { cluster: cluster.name, asked: apiHost.at.name, quorum: hasQuorum(members), members };
  });
};

export interface Defragmented {
  readonly member: string;
  /** Bytes on the disk. */
  readonly before: number;
  readonly after: number;
}

/**
 * Gives back the disk space that deleted keys held. A member answers nobody meanwhile, so it is one after the other,
 * the leader last, and each only while the others are a quorum and well. Where etcd was full, it takes writes again
 * afterwards: that alarm stays until somebody ends it.
 */
export const defragment = async (
  file: string,
  { acceptNewHostKeys, say, limits }: EtcdOptions,
): Promise<readonly Defragmented[]> => {
  const { cluster, state } = await loadCluster(file);
  return holdingLock({ directory: state, command: 'etcd defrag', say }, () =>
    withPool(acceptNewHostKeys, async (pool) => {
      const apiHost = await selectEtcdHost(cluster, pool, limits);
      const first = await membersOf(apiHost, cluster, limits);
      const done: Defragmented[] = [];
      for (const { id } of inOrder(first)) done.push(await defragmentOne(id, cluster, apiHost, limits));
      if ((await membersOf(apiHost, cluster, limits)).some(isFull)) {
        await disarm(apiHost, limits);
        say('etcd was full, and takes writes again: its alarm is ended');
      }
      return done;
    }),
  );
};

/** Followers first: were it the leader's turn in between, everybody would wait for an election. */
export const inOrder = (members: readonly Member[]): readonly Member[] =>
  members.toSorted((a, b) => Number(a.status?.leader ?? false) - Number(b.status?.leader ?? false));

/** Where the room is still not enough, the next write raises the alarm again. */
const disarm = async ({ at, host }: ApiHost, limits: EtcdOptions['limits']): Promise<void> => {
  const { code, stderr } = await host.mutate(mutation(`${etcdctl([localEndpoint])} alarm disarm >/dev/null`), limits);
  if (code === 0) return;
  throw new Failure('refused', 'etcd does not end its alarm of being full', {
    where: { host: at.name },
    why: lastLines(stderr, 3),
    next: 'see how its members are: kbs etcd status; then run the same command again',
  });
};

const defragmentOne = async (
  id: string,
  cluster: Cluster,
  apiHost: ApiHost,
  limits: EtcdOptions['limits'],
): Promise<Defragmented> => {
  const members = await membersOf(apiHost, cluster, limits);
  const member = members.find((one) => one.id === id);
  const sick = members.filter((one) => !canBeDefragmented(one));
  if (member?.status === undefined || sick.length > 0) {
    throw new Failure('refused', 'etcd is not well enough to be defragmented', {
      where: { host: apiHost.at.name },
      why: sick.map((one) => `${titleOf(one)}: ${one.status?.errors.join(', ') ?? 'does not answer'}`),
      next: 'see kbs etcd status; members that are done already stay as they are',
    });
  }
  const there = etcdctl(member.clientUrls);
  const output = await apiHost.host.mutate(mutation(`${there} --command-timeout=300s defrag`), {
    timeout: 330_000,
    ...limits,
  });
  if (output.code !== 0) {
    throw new Failure('refused', `${titleOf(member)} was not defragmented`, {
      where: { host: apiHost.at.name },
      why: lastLines(output.stderr, 3),
      next: 'see how it is: kbs etcd status',
    });
  }
  await apiHost.host.query(
    query(`for kbs_try in $(seq 100); do ${there} get health >/dev/null 2>&1 && exit 0; sleep 0.3; done`),
    limits,
  );
  const now = (await membersOf(apiHost, cluster, limits)).find((one) => one.id === id);
  return { member: titleOf(member), before: member.status.size, after: now?.status?.size ?? 0 };
};
