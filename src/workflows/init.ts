import type { ClusterHost } from '../inventory/cluster.js';
import { phases } from '../phases/index.js';
import type { PhaseWorkflow } from './run/phase-workflow.js';

/** Everything that a cluster needs before its workers: a host that is only a worker is left to `join`. */
export const init: PhaseWorkflow = {
  name: 'init',
  phasesOf: (host) => (isMoreThanWorker(host) ? phases : []),
  isTarget: (host) => isMoreThanWorker(host),
};

const isMoreThanWorker = ({ roles }: ClusterHost): boolean => roles.some((role) => role !== 'worker');
