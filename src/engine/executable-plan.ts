import type { Failure } from '../failure.js';
import type { Gate, Phase, PhaseReference, RollingUpdate } from '../phases/phase.js';
import type { Step } from '../resources/resource.js';
import type { HostPhases } from './host-phases.js';
import type { Operation } from './operation.js';
import type { Change } from './plan.js';

/** A plan with the scripts that apply its changes. It may hold secrets, so it is never printed or saved; `Plan` is. */
export type ExecutablePlan = readonly ExecutableHostPlan[];

export interface ExecutableHostPlan {
  readonly hostPhases: HostPhases;
  readonly unreachable?: Failure;
  readonly phases: readonly PhaseSteps[];
  /** Leftovers that stay on the host, with the reason, and what could be done with it: a sentence each. */
  readonly notes?: readonly string[];
}

export interface PhaseSteps {
  readonly phase: Phase;
  readonly changes: readonly PlannedChange[];
  readonly gates: readonly PlannedGate[];
  /** Whether the phase has no resources and prunes nothing: it only waits for its gates. */
  readonly waitOnly: boolean;
  /** The rolling update that the changes are part of; absent where the host is not healthy, so has nothing to disturb. */
  readonly rolling?: RollingUpdate;
  /** Phases of other hosts that must be done before this one begins. */
  readonly after?: readonly PhaseReference[];
  /** Runs in place of the steps of `changes`. */
  readonly operation?: Operation;
}

export interface PlannedChange {
  readonly change: Change;
  readonly steps: readonly Step[];
  /** The change concerns only kbs's own records, so it is neither shown in the plan nor reported. */
  readonly quiet?: true;
}

export interface PlannedGate {
  readonly gate: Gate;
  /** Whether the gate was open when the host was observed. */
  readonly open: boolean;
}
