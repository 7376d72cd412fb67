import { closeSync, openSync, writeSync } from 'node:fs';
import { writeJson } from '../output.js';
import { printableJson } from '../text/printable.js';
import type { EventSink } from './event-sink.js';

/** Every event as one line of JSON on a stream, `--events -`. */
export const jsonEvents =
  (stream: NodeJS.WritableStream): EventSink =>
  (event) => {
    writeJson(stream, event);
  };

/**
 * Every event as one line of JSON in a file, replaced if it is there and readable by its owner only.
 * Each line is written at once: a run that is killed leaves what it did.
 */
export function jsonEventsFile(path: string): EventSink {
  const descriptor = openSync(path, 'w', 0o600);
  const write: EventSink = (event) => {
    writeSync(descriptor, `${printableJson(event)}\n`);
  };
  return Object.assign(write, { close: () => closeSync(descriptor) });
}
