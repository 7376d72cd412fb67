import { controlPlanes, hasEtcdMember } from '../../inventory/cluster.js';
import type { Phase } from '../phase.js';
import { bootstraps, promote } from './etcd-member.js';

/** Makes the member that joined a voter: only then can an API server work with it. */
export const etcdVoter: Phase = {
  name: 'etcd-voter',
  ensures: 'the etcd member has caught up and votes',
  appliesTo: (host, cluster) => hasEtcdMember(host, cluster) && controlPlanes(cluster).length > 1,
  // The member that bootstraps etcd is a voter from the start.
  resources: (host, context) => (bootstraps(host, context) ? [] : [promote(host, context)]),
};
