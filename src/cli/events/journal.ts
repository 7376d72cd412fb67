import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makePrivateFolder } from '../../private-folder.js';
import type { EventSink } from './event-sink.js';
import { jsonEventsFile } from './json-events.js';

/** How many journals stay. */
const kept = 50;

/**
 * The journal of a run: its events as JSON lines in `FOLDER/<time>.jsonl`, to look up later what happened.
 * The oldest journals beyond fifty are removed.
 */
export function journal(folder: string, now: Date = new Date()): EventSink {
  makePrivateFolder(folder);
  // The process id keeps two runs of the same millisecond apart; a colon would not survive a copy to other file systems.
  const name = `${now.toISOString().replaceAll(':', '-')}-${process.pid}.jsonl`;
  const sink = jsonEventsFile(join(folder, name));
  removeOldest(folder);
  return sink;
}

/** The names begin with the time, so their order is the order of the runs. */
function removeOldest(folder: string): void {
  const runs = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
  for (const name of runs.sort().slice(0, -kept)) rmSync(join(folder, name));
}
