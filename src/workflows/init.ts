import { type ClusterHost, isNode, isWorker } from '../inventory/cluster.js';
import { addons } from '../phases/cluster/addons.js';
import { phases } from '../phases/index.js';
import type { PhaseWorkflow } from './run/phase-workflow.js';

/** Everything that a cluster needs before its workers: a host that is only a worker is left to `join`. */
export const init: PhaseWorkflow = {
  name: 'init',
  phasesOf: (host) => (isMoreThanWorker(host) ? phases.filter((phase) => phase !== addons || takesPods(host)) : []),
  isTarget: (host) => isMoreThanWorker(host),
};

/** helm waits for pods, which a control plane that is no worker keeps away: then the add-ons come with the workers. */
const takesPods = (host: ClusterHost): boolean => isNode(host) && isWorker(host);

const isMoreThanWorker = ({ roles }: ClusterHost): boolean => roles.some((role) => role !== 'worker');
