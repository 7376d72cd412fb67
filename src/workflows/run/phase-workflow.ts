import type { Expected } from '../../engine/compare.js';
import type { PhaseSteps } from '../../engine/executable-plan.js';
import type { PurgedAddon } from '../../engine/host-phases.js';
import type { Observation } from '../../engine/observe.js';
import type { Selection } from '../../engine/select.js';
import type { Facts } from '../../hosts/facts/facts.js';
import type { ClusterHost } from '../../inventory/cluster.js';
import type { Phase, PhaseReference } from '../../phases/phase.js';
import type { RunContext } from './context.js';

/** A workflow that is an ordered list of phases for some hosts. */
export interface PhaseWorkflow {
  readonly name: string;
  /** The phases of a host; none where it takes no part. Those that do not apply to the host are left out later. */
  phasesOf(host: ClusterHost, target: Target): readonly Phase[];
  /** Whether the run is about this node: its Node object is written, and it must become Ready. */
  isTarget(host: ClusterHost, target: Target): boolean;
  /** Whether a cluster must be there already. */
  readonly needsCluster?: true;
}

/** What a run of a phase workflow is about. */
export interface Target {
  /** The nodes that join; empty but for `join`. */
  readonly joining: ReadonlySet<string>;
  /** Hosts whose routes a join changes: those of the same segment and routers; all, for the first node of a segment. */
  readonly routed: ReadonlySet<string>;
  /** Load balancers that forward ports to nodes that join. */
  readonly forwarding: ReadonlySet<string>;
  readonly selection: Selection;
}

/** A run of a phase workflow, with what decides its hosts and phases. */
export interface PhaseRun extends RunContext {
  readonly workflow: PhaseWorkflow;
  /** The nodes that join; for `join` only. */
  readonly joining?: readonly string[];
  /** Add-ons that are uninstalled with `--purge`: their CRDs and PersistentVolumeClaims are deleted too. */
  readonly purges?: readonly PurgedAddon[];
  /** Hosts that do not answer, and that the run goes on without. */
  readonly without?: ReadonlySet<string>;
  /** Operations before and after the phases, for a workflow that is more than its phases. */
  readonly hooks?: Hooks;
}

/** Operations before and after the phases of a run. */
export interface Hooks {
  /** Path on the first control plane: what etcd starts from. Absent where it has started from it already. */
  readonly snapshot?: string;
  /** The names of the operations on a host, for the outline of the run. */
  outline(host: ClusterHost): { readonly before: readonly string[]; readonly after: readonly string[] };
  /** Plans them from what was observed. */
  plan(observed: Observation): {
    /** What operations before the phases change of the observed state; absent where they change none of it. */
    readonly expected?: Expected;
    /** The facts as they will be when the phases begin. */
    facts(host: string): Facts;
    /** What all phases of control planes wait for. */
    readonly waitsFor: readonly PhaseReference[];
    /** By host. */
    readonly before: ReadonlyMap<string, readonly PhaseSteps[]>;
    readonly after: ReadonlyMap<string, readonly PhaseSteps[]>;
  };
}
