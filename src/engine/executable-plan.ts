import type { Failure } from '../failure.js';
import type { Gate, Phase, PhaseReference, RollingUpdate } from '../phases/phase.js';
import type { Step } from '../resources/resource.js';
import type { HostPhases } from './host-phases.js';
import type { Operation } from './operation.js';
import type { Change } from './plan.js';

/** A plan with its hands: the same changes, and the scripts that make them. Secrets may be inside: never printed. */
export type ExecutablePlan = readonly HostWorkPlan[];

export interface HostWorkPlan {
  readonly hostPhases: HostPhases;
  readonly unreachable?: Failure;
  readonly phases: readonly PhaseSteps[];
  /** What kbs leaves on the host as it is, and why, a sentence each. */
  readonly notes?: readonly string[];
}

export interface PhaseSteps {
  readonly phase: Phase;
  readonly changes: readonly PlannedChange[];
  readonly gates: readonly PlannedGate[];
  /** Whether the phase has nothing to change in any case, and is only a wait. */
  readonly waitOnly: boolean;
  /** The rolling update that the changes are part of; absent where they disturb nothing that serves. */
  readonly rolling?: RollingUpdate;
  /** Phases of other hosts that must be done before this one begins. */
  readonly after?: readonly PhaseReference[];
  /** What is run in place of the changes' steps. */
  readonly operation?: Operation;
}

export interface PlannedChange {
  readonly change: Change;
  readonly steps: readonly Step[];
  /** Only kbs's own records change: no line of the plan, and no event. */
  readonly quiet?: true;
}

export interface PlannedGate {
  readonly gate: Gate;
  /** As seen by the survey. */
  readonly open: boolean;
}
