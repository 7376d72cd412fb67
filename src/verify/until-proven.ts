import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckResult } from './check-result.js';

/**
 * Asks again, every two seconds, until all results are good or the patience, in milliseconds, is at an end; gives the last
 * results. `ask` is told for how many milliseconds this has gone on.
 */
export const untilProven = async (
  patience: number,
  ask: (elapsed: () => number) => Promise<readonly CheckResult[]>,
): Promise<readonly CheckResult[]> => {
  const begun = Date.now();
  const elapsed = () => Date.now() - begun;
  for (;;) {
    const results = await ask(elapsed);
    if (results.every(({ ok }) => ok) || elapsed() >= patience) return results;
    await sleep(2_000);
  }
};
