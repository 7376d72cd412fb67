import type { Event } from '../../engine/event.js';

/** Takes the events of a run as they happen. `close` is called once, after the last one. */
export interface EventSink {
  (event: Event): void;
  close?(): Promise<void> | void;
}
