import { Failure } from '../../failure.js';
import type { Cluster } from '../../inventory/cluster.js';

/** Throws where others run the etcd of a cluster: kbs installs, saves and changes only its own. */
export const requireOwnEtcd = ({ name, kubernetes: { externalEtcd } }: Cluster): void => {
  if (externalEtcd === undefined) return;
  throw new Failure('refused', `the etcd of ${name} is external, and kbs only has API servers use it`, {
    why: [`its endpoints: ${externalEtcd.endpoints.join(', ')}`],
    next: 'use the tools of that etcd; whether API servers reach it: kbs verify',
  });
};
