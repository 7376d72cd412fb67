import { isApiHost, nodes } from '../inventory/cluster.js';
import { adminConf } from '../kubernetes/kubectl.js';
import { apiAnswers } from './gates.js';
import type { Phase } from './phase.js';

/**
 * A balancer that still held the virtual address would do harm, and so would a server that still answered with old names
 * or held a port. So these go before anything new is started.
 */
export const staleServices: Phase = {
  name: 'stale-services',
  ensures: 'nothing runs for a role that the host has no more',
  appliesTo: () => true,
  resources: () => [],
  prunes: { of: ['load-balancer', 'lan-dns'], first: true },
};

/** kube-proxy's DaemonSet, for one, goes only once every node has a unit in the place of its pod. */
export const pruneObjects: Phase = {
  name: 'prune-objects',
  ensures: 'the cluster holds no object of kbs that no phase wants',
  appliesTo: isApiHost,
  gates: () => [apiAnswers],
  after: (host, { cluster }) =>
    nodes(cluster)
      .filter(({ name }) => name !== host.name)
      .map(({ name }) => ({ host: name, phase: 'proxy' })),
  resources: () => [],
  prunes: { objectsThrough: adminConf },
};

/** Near the end, when all that takes the place of former things is there, and nothing uses them any more. */
export const prune: Phase = {
  name: 'prune',
  ensures: 'the host holds nothing of kbs that no phase wants',
  appliesTo: () => true,
  resources: () => [],
  prunes: { of: 'rest' },
};
