import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckResult } from './check-result.js';

/** How long to ask again, and how long to wait in between, in milliseconds; an aborted signal ends it early. */
export interface Patience {
  readonly patience: number;
  readonly pause: number;
  readonly signal?: AbortSignal | undefined;
}

/** Asks again until the answer is good or the patience is at an end; gives the last answer. */
export const askUntil = async <T>(
  isGood: (answer: T) => boolean,
  { patience, pause, signal }: Patience,
  ask: (elapsed: () => number) => Promise<T>,
): Promise<T> => {
  const begun = Date.now();
  const elapsed = () => Date.now() - begun;
  for (;;) {
    const answer = await ask(elapsed);
    if (isGood(answer) || elapsed() >= patience || signal?.aborted) return answer;
    await sleep(pause);
  }
};

/** Asks again as long as a result is bad. `ask` is told for how many milliseconds this has gone on. */
export const untilProven = (
  patience: Patience,
  ask: (elapsed: () => number) => Promise<readonly CheckResult[]>,
): Promise<readonly CheckResult[]> => askUntil((results) => results.every(({ ok }) => ok), patience, ask);
