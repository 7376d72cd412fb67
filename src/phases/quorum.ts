import { controlPlanes, isControlPlane } from '../inventory/cluster.js';
import { founds, vote } from './etcd-member.js';
import type { Phase } from './phase.js';

/** A member that joined is a voter: only then can an API server work with it. */
export const quorum: Phase = {
  name: 'quorum',
  promises: 'the etcd member has caught up and votes',
  on: (host, cluster) => isControlPlane(host) && controlPlanes(cluster).length > 1,
  // Who founds is a voter from the first moment; there is nothing to wait for, and nobody to ask.
  resources: (host, site) => (founds(host, site) ? [] : [vote(host, site)]),
};
