import { isControlPlane } from '../inventory/cluster.js';
import { phases } from '../phases/index.js';
import type { PhaseWorkflow } from './run/phase-workflow.js';

/** The whole inventory: init and join in one. */
export const apply: PhaseWorkflow = {
  name: 'apply',
  phasesOf: () => phases,
  isTarget: (host, { selection: { limit } }) =>
    limit === undefined || limit.includes(host.name) || isControlPlane(host),
};
