import type { Problem } from '../engine/event.js';
import type { Ending } from './ending.js';
import { type Paint, plain } from './paint.js';
import { counted, some } from './words.js';

/**
 * What went wrong, for a person: what, where, the last lines of the evidence, and the next step.
 * All problems at once; those that share everything but their host are told once.
 */
export function failureText(problems: readonly Problem[], paint: Paint = plain): string {
  const told = merge(problems);
  const blocks = told.map((problem) => block(problem, paint));
  if (told.length < 2) return blocks.join('');
  const positions = told.every((problem) => problem.where.position !== undefined);
  return `${blocks.join(positions ? '' : '\n')}\n${paint('red', counted(problems.length, 'problem'))}\n`;
}

/** The text for an error that is our mistake. The stack is shown where the reader asked for more. */
export function bugText(ending: Ending, stack: string | undefined, report: string, paint: Paint = plain): string {
  const lines = [`${paint('red', 'Error:')} this is a mistake in kbs, not in what you did: ${ending.what}`];
  if (stack === undefined)
    lines.push(`  ${paint('cyan', '→')} run it again with -v to see where, and report that to ${report}`);
  else lines.push(...indent(stack.split('\n')), `  ${paint('cyan', '→')} report this text to ${report}`);
  return `${lines.join('\n')}\n`;
}

function block(problem: Problem, paint: Paint): string {
  const { position } = problem.where;
  // An editor or a terminal can jump to `file:line:column` only where the line begins with it.
  const head =
    position === undefined
      ? `${paint('red', 'Error:')} ${problem.what}`
      : `${paint('bold', position)}: ${paint('red', 'error:')} ${problem.what}`;
  const lines = [head];
  const where = placeOf(problem);
  if (where) lines.push(`  ${paint('dim', 'at')} ${where}`);
  if (problem.where.command) lines.push(`  ${paint('dim', 'ran')} ${problem.where.command}`);
  lines.push(...details(problem, paint));
  return `${lines.join('\n')}\n`;
}

/** The evidence and the next step, a line each. */
export const details = ({ why, next }: Problem, paint: Paint): readonly string[] => [
  ...evidence(why).map((line) => `  ${paint('dim', '|')} ${line}`),
  ...(next ? nextStep(next, paint) : []),
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

function nextStep(text: string, paint: Paint): readonly string[] {
  const [first = '', ...rest] = text.split('\n');
  return [`  ${paint('cyan', '→')} ${first}`, ...rest.map((line) => `    ${line}`)];
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
