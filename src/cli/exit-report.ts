import type { Problem } from '../failure.js';
import { exits, failuresIn, toProblem } from '../failure.js';

/** What ended a command, as plain data: what `--json` prints under `error`, and what failure-text draws. */
export interface ErrorReport {
  readonly code: string;
  readonly exit: number;
  readonly what: string;
  readonly failures: readonly Problem[];
}

/** Any thrown value as an Ending. What is no Failure is a bug of ours. */
export function errorReportOf(error: unknown): ErrorReport {
  const failures = failuresIn(error);
  const [first] = failures;
  if (first) {
    const what = failures.length === 1 ? first.message : `${failures.length} problems`;
    return { code: first.code, exit: first.exit, what, failures: failures.map(toProblem) };
  }
  return { code: 'bug', exit: exits.bug, what: error instanceof Error ? error.message : String(error), failures: [] };
}
