import type { Problem } from '../engine/event.js';
import { problem } from '../engine/problem.js';
import { exits, Failure, failuresIn } from '../failure.js';

/** What ended a command, as plain data: what `--json` prints under `error`, and what failure-text draws. */
export interface Ending {
  readonly code: string;
  readonly exit: number;
  readonly what: string;
  readonly failures: readonly Problem[];
}

/** Any thrown value as an Ending. What is neither a Failure nor wrong usage is a bug of ours. */
export function endingOf(error: unknown): Ending {
  const failures = failuresIn(error);
  const [first] = failures;
  if (first) {
    const what = failures.length === 1 ? first.message : `${failures.length} problems`;
    return { code: first.code, exit: first.exit, what, failures: failures.map(problem) };
  }
  const usage = usageIn(error);
  if (usage) {
    const failure = new Failure('usage', usage, { next: 'see --help' });
    return { code: 'usage', exit: exits.usage, what: usage, failures: [problem(failure)] };
  }
  return { code: 'bug', exit: exits.bug, what: error instanceof Error ? error.message : String(error), failures: [] };
}

/** What the argument parser says about wrong usage: it marks its errors with an `oclif` field. */
function usageIn(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('oclif' in error)) return undefined;
  return error.message.replace(/\nSee more help with --help$/, '').replace(/ \n\t/g, ': ');
}
