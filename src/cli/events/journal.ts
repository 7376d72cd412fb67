import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { EventSink } from './event-sink.js';
import { jsonEventsFile } from './json-events.js';

/** How many runs are remembered. */
const kept = 50;

/**
 * The journal of a run: its events as JSON lines in `FOLDER/<time>.jsonl`, for who asks tomorrow what happened today.
 * The oldest journals beyond fifty are removed.
 */
export function journal(folder: string, now: Date = new Date()): EventSink {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // The process id keeps two runs of one moment apart; a colon would not survive a copy to other file systems.
  const name = `${now.toISOString().replaceAll(':', '-')}-${process.pid}.jsonl`;
  const subscriber = jsonEventsFile(join(folder, name));
  forget(folder);
  return subscriber;
}

/** The names begin with the time, so their order is the order of the runs. */
function forget(folder: string): void {
  const runs = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
  for (const name of runs.sort().slice(0, -kept)) rmSync(join(folder, name));
}
