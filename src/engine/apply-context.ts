import type { Failure } from '../failure.js';
import type { Host } from '../hosts/host.js';
import type { ClusterHost } from '../inventory/cluster.js';
import type { PhaseContext } from '../phases/phase.js';
import type { Emit } from './event.js';

/** What `apply` needs besides the plan. */
export interface ApplyContext {
  readonly context: PhaseContext;
  readonly open: (host: ClusterHost) => Host;
  readonly emit: Emit;
  /** Once aborted, no further phase begins, and gates and interruptible operations end. A script of changes still finishes. */
  readonly signal: AbortSignal;
  /** Milliseconds: the longest that a gate or the changes of a phase may take, in place of their own; operations may take longer. */
  readonly timeout?: number;
}

/** By host: undefined where all its phases are done, else the failure that ended them. */
export type Outcome = ReadonlyMap<string, Failure | undefined>;
