import type { Problem } from '../../failure.js';
import type { ErrorReport } from '../exit-report.js';
import { type Colors, plain } from './color.js';
import { counted, some } from './format.js';

/**
 * What went wrong, for a person: what, where, the last lines of the evidence, and the next step.
 * All problems at once; those that share everything but their host are told once.
 */
export function failureText(problems: readonly Problem[], colors: Colors = plain): string {
  const told = merge(problems);
  const blocks = told.map((problem) => block(problem, colors));
  if (told.length < 2) return blocks.join('');
  const positions = told.every((problem) => problem.where.position !== undefined);
  return `${blocks.join(positions ? '' : '\n')}\n${colors('red', counted(problems.length, 'problem'))}\n`;
}

/** The text for an error that is our mistake. The stack is shown where the reader asked for more. */
export function bugText(
  ending: ErrorReport,
  stack: string | undefined,
  report: string,
  colors: Colors = plain,
): string {
  const lines = [`${colors('red', 'Error:')} this is a mistake in kbs, not in what you did: ${ending.what}`];
  if (stack === undefined)
    lines.push(`  ${colors('cyan', '→')} run it again with -v to see where, and report that to ${report}`);
  else lines.push(...indent(stack.split('\n')), `  ${colors('cyan', '→')} report this text to ${report}`);
  return `${lines.join('\n')}\n`;
}

function block(problem: Problem, colors: Colors): string {
  const { position } = problem.where;
  // An editor or a terminal can jump to `file:line:column` only where the line begins with it.
  const head =
    position === undefined
      ? `${colors('red', 'Error:')} ${problem.what}`
      : `${colors('bold', position)}: ${colors('red', 'error:')} ${problem.what}`;
  const lines = [head];
  const where = placeOf(problem);
  if (where) lines.push(`  ${colors('dim', 'at')} ${where}`);
  if (problem.where.command) lines.push(`  ${colors('dim', 'ran')} ${problem.where.command}`);
  lines.push(...details(problem, colors));
  return `${lines.join('\n')}\n`;
}

/** The evidence and the next step, a line each. */
export const details = ({ why, next }: Problem, colors: Colors): readonly string[] => [
  ...evidence(why).map((line) => `  ${colors('dim', '|')} ${line}`),
  ...(next ? nextStep(next, colors) : []),
];

/** `worker-00 · images · file /etc/x`. */
export const placeOf = (problem: Problem): string =>
  ['host', 'phase', 'resource']
    .map((part) => problem.where[part])
    .filter((part) => part !== undefined)
    .join(' · ');

const longest = 12;

/** The end of a log tells why; the beginning is most often only the way there. */
function evidence(why: readonly string[]): readonly string[] {
  const lines = why.flatMap((text) => text.trimEnd().split('\n'));
  if (lines.length <= longest) return lines;
  return [`… ${counted(lines.length - longest, 'line')} before`, ...lines.slice(-longest)];
}

function nextStep(text: string, colors: Colors): readonly string[] {
  const [first = '', ...rest] = text.split('\n');
  return [`  ${colors('cyan', '→')} ${first}`, ...rest.map((line) => `    ${line}`)];
}

const indent = (lines: readonly string[]): readonly string[] => lines.map((line) => `    ${line.trim()}`);

/** One problem of many hosts becomes one problem that names them all. */
function merge(problems: readonly Problem[]): readonly Problem[] {
  const groups = new Map<string, Problem[]>();
  for (const problem of problems) {
    const { host: _host, ...where } = problem.where;
    const key = JSON.stringify([problem.code, problem.what, where, problem.why, problem.next]);
    groups.set(key, [...(groups.get(key) ?? []), problem]);
  }
  return [...groups.values()].flatMap(([first, ...others]) => {
    if (!first) return [];
    const hosts = [first, ...others].flatMap(({ where }) => (where.host === undefined ? [] : [where.host]));
    return hosts.length < 2 ? [first] : [{ ...first, where: { ...first.where, host: some(hosts, 8) } }];
  });
}
