import { closeSync, openSync, writeSync } from 'node:fs';
import type { EventSink } from './event-sink.js';

/** Every event as one line of JSON on a stream, `--events -`. */
export const jsonEvents =
  (stream: NodeJS.WritableStream): EventSink =>
  (event) => {
    stream.write(`${JSON.stringify(event)}\n`);
  };

/**
 * Every event as one line of JSON in a file, replaced if it is there and readable by its owner only.
 * Each line is written at once: a run that is killed leaves what it did.
 */
export function jsonEventsFile(path: string): EventSink {
  const descriptor = openSync(path, 'w', 0o600);
  const write: EventSink = (event) => {
    writeSync(descriptor, `${JSON.stringify(event)}\n`);
  };
  return Object.assign(write, { close: () => closeSync(descriptor) });
}
