import { exits } from '../failure.js';
import { type ErrorReport, errorReportOf } from './exit-report.js';
import { colorsFor } from './text/color.js';
import { bugText, failureText } from './text/failure-text.js';

export interface EndOptions {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly interrupted: boolean;
  /** Where bugs are reported, from package.json. */
  readonly home?: { readonly url?: string } | string | undefined;
}

/** Prints what ended a command, as text on stderr or as the one JSON document on stdout; gives the exit status. */
export function reportError(error: unknown, options: EndOptions): number {
  const ending = options.interrupted ? interruption(errorReportOf(error)) : errorReportOf(error);
  if (options.json) process.stdout.write(`${JSON.stringify({ error: ending }, null, 2)}\n`);
  if (!options.json || options.verbose) process.stderr.write(textOf(ending, error, options));
  return ending.exit;
}

/** What fails after Ctrl-C fails because of it; a failure with a code of its own is still told. */
const interruption = (ending: ErrorReport): ErrorReport =>
  ending.code === 'bug'
    ? { code: 'interrupted', exit: exits.interrupted, what: 'interrupted', failures: [] }
    : { ...ending, exit: exits.interrupted };

function textOf(ending: ErrorReport, error: unknown, { verbose, home }: EndOptions): string {
  const colors = colorsFor(process.stderr);
  if (ending.code === 'interrupted') return 'Interrupted: it is safe to run the same command again.\n';
  if (ending.code !== 'bug') return failureText(ending.failures, colors);
  const stack = verbose && error instanceof Error ? error.stack : undefined;
  const url = typeof home === 'string' ? home : home?.url;
  return bugText(ending, stack, url ?? 'whoever maintains your copy of kbs', colors);
}
