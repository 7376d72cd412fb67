import { isControlPlane } from '../inventory/cluster.js';
import { phases } from '../phases/index.js';
import type { PhaseWorkflow } from './run/phase-workflow.js';

/** Everything that a cluster needs before workers. */
export const init: PhaseWorkflow = {
  name: 'init',
  phasesOf: (host) => (host.roles.some((role) => role !== 'worker') ? phases : []),
  isTarget: isControlPlane,
};
