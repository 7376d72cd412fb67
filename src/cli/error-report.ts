import { exits, failuresIn, type Problem, toProblem } from '../failure.js';
import { writeJson, writeText } from './output.js';
import { colorsFor } from './text/color.js';
import { bugText, failureText } from './text/failure-text.js';

/** What ended a command, as plain data: what `--json` prints under `error`, and what failure-text draws. */
export interface ErrorReport {
  readonly code: string;
  readonly exit: number;
  readonly what: string;
  readonly failures: readonly Problem[];
}

export interface ReportOptions {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly interrupted: boolean;
  /** Where bugs are reported, from package.json. */
  readonly home?: { readonly url?: string } | string | undefined;
}

/** Prints what ended a command, as text on stderr or as the one JSON document on stdout; gives the exit status. */
export function reportError(error: unknown, options: ReportOptions): number {
  const report = options.interrupted ? interruption(errorReportOf(error)) : errorReportOf(error);
  if (options.json) writeJson(process.stdout, { error: report }, 2);
  if (!options.json || options.verbose) writeText(process.stderr, textOf(report, error, options));
  return report.exit;
}

/** Any thrown value as a report. Whatever is no Failure is a bug of kbs. */
export function errorReportOf(error: unknown): ErrorReport {
  const failures = failuresIn(error);
  const [first] = failures;
  if (first) {
    const what = failures.length === 1 ? first.message : `${failures.length} problems`;
    return { code: first.code, exit: first.exit, what, failures: failures.map(toProblem) };
  }
  return { code: 'bug', exit: exits.bug, what: error instanceof Error ? error.message : String(error), failures: [] };
}

/** An unexpected error after Ctrl-C is a consequence of it; a failure keeps its own code and words. */
const interruption = (report: ErrorReport): ErrorReport =>
  report.code === 'bug'
    ? { code: 'interrupted', exit: exits.interrupted, what: 'interrupted', failures: [] }
    : { ...report, exit: exits.interrupted };

function textOf(report: ErrorReport, error: unknown, { verbose, home }: ReportOptions): string {
  const colors = colorsFor(process.stderr);
  if (report.code === 'interrupted') return 'Interrupted: it is safe to run the same command again.\n';
  if (report.code !== 'bug') return failureText(report.failures, colors);
  const stack = verbose && error instanceof Error ? error.stack : undefined;
  const url = typeof home === 'string' ? home : home?.url;
  return bugText(report.what, stack, url ?? 'the maintainer of your copy of kbs', colors);
}
