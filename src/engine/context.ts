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
  /** Once aborted, no further phase begins. What runs is left to finish, so that the next run finds whole things. */
  readonly signal: AbortSignal;
  /** Milliseconds: the longest wait for one step, in place of each step's own. */
  readonly timeout?: number;
}

/** By host: undefined where all its phases are done, else the failure that ended them. */
export type Outcome = ReadonlyMap<string, Failure | undefined>;
