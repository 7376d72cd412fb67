import type { Problem } from '../failure.js';
import type { ReleaseImages } from '../resources/resource.js';

/**
 * A plan: what a run would change, per host and phase, as a value that can be printed, saved, compared and applied.
 * It holds no secret: a secret's state is a digest.
 */
export interface Plan {
  readonly workflow: string;
  readonly cluster: string;
  readonly hosts: readonly HostPlan[];
  /** What preflight found that is no reason to refuse. */
  readonly warnings?: readonly PlanWarning[];
}

/** Something of the hosts that the operator should know; it changes neither the plan nor the exit status. */
export interface PlanWarning {
  readonly hosts: readonly string[];
  readonly what: string;
  readonly next: string;
}

export interface HostPlan {
  readonly host: string;
  /** Why the run goes on without this host; its phases are then empty. */
  readonly skipped?: Problem;
  readonly phases: readonly PhasePlan[];
  /** Leftovers that stay on the host, with the reason, and what could be done with it: a sentence each. */
  readonly notes?: readonly string[];
}

export interface PhasePlan {
  readonly phase: string;
  readonly changes: readonly Change[];
}

export interface Change {
  readonly kind: string;
  /** Unique among the resources of its kind on the host. */
  readonly id: string;
  /** `unknown`: kbs cannot tell the observed state and applies the resource in any case, which changes nothing if it is as desired. */
  readonly action: 'create' | 'update' | 'remove' | 'unknown' | 'run';
  /** Of an unknown change: all that is wanted, whether or not it differs. */
  readonly differences: readonly Difference[];
  /** Why kbs cannot tell; of an unknown change only. */
  readonly reason?: string;
  /** Of a release that comes or changes: references of the images that its pods run, or why kbs cannot tell. */
  readonly images?: ChangeImages;
  /** What the host itself downloads for it: addresses, and images by their digests. */
  readonly downloads?: readonly string[];
  /** What people need to know of an operation; its action is `run`. */
  readonly operation?: OperationDetails;
}

export type ChangeImages = ReleaseImages | { readonly unknown: string };

export interface OperationDetails {
  /** The host that it runs on. */
  readonly host: string;
  /** What it changes: `pod shop/web`. */
  readonly affects: readonly string[];
  /** What must be so before it begins. */
  readonly precondition?: string;
  readonly timeoutSeconds: number;
  /** What undoes it, or what to do where it was interrupted. */
  readonly resume: string;
}

export type Verb = 'create' | 'update' | 'remove' | 'run' | 'apply';

/** The verb for a change in output. For an unknown change it is `apply`: whether it creates or updates is not known. */
export const verbOf = ({ action }: Pick<Change, 'action'>): Verb => (action === 'unknown' ? 'apply' : action);

/** One aspect that differs. `content` is text for a line diff; other aspects are short. */
export interface Difference {
  readonly aspect: string;
  readonly is?: string;
  readonly wanted?: string;
}

export const changesOf = (plan: Plan): readonly Change[] =>
  plan.hosts.flatMap((host) => host.phases.flatMap((phase) => phase.changes));

export const isEmpty = (plan: Plan): boolean => changesOf(plan).length === 0;
