import type { RunOptions } from '../../hosts/host.js';
import { selectEtcdHost } from '../../kubernetes/api-host.js';
import { hasQuorum, type Member, membersOf } from '../../kubernetes/etcd-members.js';
import { loadCluster } from '../load-cluster.js';
import { withPool } from '../run/pool.js';
import { requireOwnEtcd } from './own-etcd.js';

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

/** All members as a control plane sees them, whether they are healthy or not. */
export const etcdStatus = async (file: string, { acceptNewHostKeys, limits }: EtcdOptions): Promise<EtcdStatus> => {
  const { cluster } = await loadCluster(file);
  requireOwnEtcd(cluster);
  return withPool(acceptNewHostKeys, async (pool) => {
    const apiHost = await selectEtcdHost(cluster, pool, limits);
    const members = await membersOf(apiHost, cluster, limits);
    return { cluster: cluster.name, asked: apiHost.at.name, quorum: hasQuorum(members), members };
  });
};
