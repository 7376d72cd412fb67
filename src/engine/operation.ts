import type { Payload } from '../hosts/host.js';
import type { Script } from '../hosts/shell.js';
import type { ClusterHost } from '../inventory/cluster.js';
import type { Gate } from '../phases/phase.js';

/**
 * Something that is done to the cluster and not to the state of one host, such as draining a node. It is a value in the
 * plan: shown, journaled, ordered like a phase and run by the engine. Running it again where it is done already is
 * harmless, so an interrupted run is resumed by running the same command again.
 */
export interface Operation {
  /** The phase under which it stands in plans and events: `drain`. */
  readonly name: string;
  /** What it acts on: `worker-rack-00`. */
  readonly target: string;
  /** The host that the script runs on. */
  readonly on: ClusterHost;
  /** What must be so before it begins: asked on the same host, within the gate's own bound. */
  readonly precondition?: Gate;
  readonly script: Script;
  readonly payloads?: readonly Payload[];
  /** Seconds: the longest that the script may take, and 60 s more for the connection; a longer `timeout` of the run counts. */
  readonly timeoutSeconds: number;
  /** What it changes, for people: `pod shop/web`. */
  readonly affects: readonly string[];
  /** For people: what undoes it, or what to do where it was interrupted. */
  readonly resume: string;
  /** While the script runs: what it still waits for, asked every two seconds. */
  readonly watch?: Watch;
  /** Whether Ctrl-C ends the script. Others are short, and finish. */
  readonly interruptible?: true;
  /** The message and the next step where the script fails. */
  readonly failure: { readonly what: string; readonly next: string };
}

export interface Watch {
  readonly script: Script;
  /** Sentences that fit behind "waits until". */
  parse(output: string): readonly string[];
}
