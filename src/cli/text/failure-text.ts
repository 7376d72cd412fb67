import type { Problem } from '../../failure.js';
import { type Colors, plain } from './color.js';
import { counted, some } from './format.js';
import { oneLine } from './printable.js';
import { groupProblems, type HostProblem, type ProblemGroup } from './problem-groups.js';

/**
 * What went wrong, for a person: what, where, the last lines of the evidence, and the next step.
 * All problems at once; those that share everything but their host are one.
 */
export function failureText(problems: readonly Problem[], colors: Colors = plain): string {
  const groups = groupProblems(problems.map((problem) => ({ host: problem.where.host, problem })));
  const blocks = groups.map((group) => block(group, colors));
  if (groups.length < 2) return blocks.join('');
  const positions = groups.every(({ problem }) => problem.where.position !== undefined);
  return `${blocks.join(positions ? '' : '\n')}\n${colors('red', counted(problems.length, 'problem'))}\n`;
}

/**
 * Hosts that a run goes on without: `skipped: worker-00, worker-01 (what)`, or `failed: worker-00 images (what)` for one
 * that stopped in a phase; below it why, and what to do next. Lines without their newlines.
 */
export const skippedText = (skipped: readonly HostProblem[], colors: Colors = plain): readonly string[] =>
  groupProblems(skipped).flatMap(({ hosts, problem }) => {
    const { phase } = problem.where;
    const head = phase === undefined ? `skipped: ${some(hosts, 8)}` : `failed: ${some(hosts, 8)} ${phase}`;
    return [colors('yellow', oneLine(`${head} (${problem.what})`)), ...details(problem, colors)];
  });

/** The text for an error that is a mistake in kbs. The stack is shown where the reader asked for more. */
export function bugText(what: string, stack: string | undefined, report: string, colors: Colors = plain): string {
  const lines = [`${colors('red', 'Error:')} this is a mistake in kbs, not in what you did: ${hanging(what, '    ')}`];
  if (stack === undefined)
    lines.push(`  ${colors('cyan', '→')} run it again with -v to see where, and report that to ${report}`);
  else lines.push(...indent(stack.split('\n')), `  ${colors('cyan', '→')} report this text to ${report}`);
  return `${lines.join('\n')}\n`;
}

function block({ hosts, problem }: ProblemGroup, colors: Colors): string {
  const { position, command } = problem.where;
  const what = hanging(problem.what.trimEnd(), '  ');
  // An editor or a terminal can jump to `file:line:column` only where the line begins with it.
  const head =
    position === undefined
      ? `${colors('red', 'Error:')} ${what}`
      : `${colors('bold', oneLine(position))}: ${colors('red', 'error:')} ${what}`;
  const lines = [head];
  const where = placeOf(hosts, problem);
  if (where) lines.push(`  ${colors('dim', 'at')} ${where}`);
  if (command) lines.push(`  ${colors('dim', 'ran')} ${oneLine(command)}`);
  lines.push(...details(problem, colors));
  return `${lines.join('\n')}\n`;
}

/** The evidence and the next step, a line each. */
export const details = ({ why, next }: Problem, colors: Colors): readonly string[] => [
  ...evidence(why).map((line) => `  ${colors('dim', '|')} ${line}`),
  ...(next ? [`  ${colors('cyan', '→')} ${hanging(next, '    ')}`] : []),
];

/** `worker-00 · images · file /etc/x`. */
const placeOf = (hosts: readonly string[], { where: { phase, resource } }: Problem): string =>
  oneLine([some(hosts, 8), phase, resource].filter(Boolean).join(' · '));

const longest = 12;

/** The reason stands at the end of a log. */
function evidence(why: readonly string[]): readonly string[] {
  const lines = why.flatMap((text) => text.trimEnd().split('\n'));
  if (lines.length <= longest) return lines;
  return [`… ${counted(lines.length - longest, 'line')} before`, ...lines.slice(-longest)];
}

/** A text of several lines, those after the first behind an indent: a line of kbs's own begins at the left. */
const hanging = (text: string, indent: string): string => text.replaceAll('\n', `\n${indent}`);

const indent = (lines: readonly string[]): readonly string[] => lines.map((line) => `    ${line.trim()}`);
