import type { Problem } from '../failure.js';
import type { Change } from './plan.js';

/**
 * The engine's only voice. The tree, the lines, the JSON stream and the journal are subscribers.
 * `at` is milliseconds since the epoch. No event holds a secret.
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
  /** Of a run that only looks: the changes that it found and did not make. */
  readonly pending?: number;
  readonly hosts: number;
  /** Hosts that failed or could not be reached, with the reason. */
  readonly skipped: readonly SkippedHost[];
  readonly ms: number;
}

/** Gives one event to all subscribers. The engine is handed this and prints nothing itself. */
export type Emit = (happening: EventData) => void;
