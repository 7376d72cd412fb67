import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Event } from '../../../src/engine/event.js';
import { type Running, told } from './kbs.js';
import type { Project } from './project.js';

/** A point in a run: the first event that it accepts. */
export type Moment = (event: Event) => boolean;

/**
 * The moment at which a phase of a host starts. What a killed run has sent is still carried out on its host, so the
 * moment at which a phase is done may never come in the next run: a sequence of kills waits for starts.
 */
export const phaseStarted =
  (host: string, phase: string): Moment =>
  (event) =>
    event.type === 'phase' && event.host === host && event.phase === phase && event.state === 'started';

/** Starts a run and comes back as soon as the moment has come. A run that ends before it has come throws what it said. */
export const startUntil = async (project: Project, words: string, moment: Moment): Promise<Running> => {
  const file = join(project.folder, `events-${Date.now()}.jsonl`);
  const running = project.start(`${words} --events ${file}`);
  const over = running.ended.then((ended) => ended);
  for (;;) {
    // Read before it is asked whether the run is over: its last events are in the file by then.
    const ended = await Promise.race([over, sleep(10)]);
    const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').slice(0, -1);
    if (lines.some((line) => moment(JSON.parse(line) as Event))) return running;
    if (ended) throw new Error(`kbs ${words} ended with ${ended.code} before the moment had come:\n${told(ended)}`);
  }
};

/** Starts a run and kills it without a word when the moment has come. */
export const killAt = async (project: Project, words: string, moment: Moment): Promise<void> => {
  const running = await startUntil(project, words, moment);
  running.kill('SIGKILL');
  const ended = await running.ended;
  if (ended.code !== 137) throw new Error(`kbs ${words} was not killed but ended with ${ended.code}:\n${told(ended)}`);
};
