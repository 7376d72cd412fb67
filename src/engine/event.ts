import type { Problem } from '../failure.js';
import type { Change } from './plan.js';

/**
 * What happens in a run. Events are the engine's only output; the tree, the lines, the JSON stream and the journal subscribe
 * to them. `at` is milliseconds since the epoch. No event holds a secret.
 */
export type Event = { readonly at: number } & EventData;

export type EventData =
  | {
      readonly type: 'run';
      readonly state: 'started';
      readonly workflow: string;
      readonly cluster: string;
      readonly hosts: readonly HostOutline[];
    }
  | { readonly type: 'run'; readonly state: 'planned'; readonly summary: Summary }
  | { readonly type: 'run'; readonly state: 'done'; readonly summary: Summary }
  | { readonly type: 'run'; readonly state: 'failed'; readonly error: Problem; readonly summary: Summary }
  | { readonly type: 'host'; readonly host: string; readonly state: 'connecting' | 'observed' }
  | { readonly type: 'host'; readonly host: string; readonly state: 'failed'; readonly error: Problem }
  | {
      readonly type: 'phase';
      readonly host: string;
      readonly phase: string;
      readonly state: 'waiting';
      readonly on: string;
    }
  | {
      readonly type: 'phase';
      readonly host: string;
      readonly phase: string;
      readonly state: 'started';
      readonly changes: number;
    }
  | {
      readonly type: 'phase';
      readonly host: string;
      readonly phase: string;
      readonly state: 'done';
      readonly changes: number;
      readonly ms: number;
    }
  | {
      readonly type: 'phase';
      readonly host: string;
      readonly phase: string;
      readonly state: 'failed';
      readonly error: Problem;
    }
  | {
      readonly type: 'change';
      readonly host: string;
      readonly phase: string;
      readonly state: 'started' | 'done';
      readonly change: Pick<Change, 'kind' | 'id' | 'action'>;
    }
  | {
      readonly type: 'gate';
      readonly host: string;
      readonly phase: string;
      readonly gate: string;
      readonly state: 'started';
    }
  | {
      readonly type: 'gate';
      readonly host: string;
      readonly phase: string;
      readonly gate: string;
      readonly state: 'done';
      readonly ms: number;
    }
  | {
      readonly type: 'gate';
      readonly host: string;
      readonly phase: string;
      readonly gate: string;
      readonly state: 'failed';
      readonly error: Problem;
    };

export interface HostOutline {
  readonly host: string;
  readonly phases: readonly string[];
}

export interface SkippedHost {
  readonly host: string;
  readonly problem: Problem;
}

export interface Summary {
  readonly changes: number;
  /** In a run that changes nothing, such as `kbs plan`: the number of changes that it found. */
  readonly pending?: number;
  readonly hosts: number;
  /** Hosts that failed or could not be reached, with the reason. */
  readonly skipped: readonly SkippedHost[];
  readonly ms: number;
}

/** Sends one event to all subscribers. */
export type Emit = (event: EventData) => void;
