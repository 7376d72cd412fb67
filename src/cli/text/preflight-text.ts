import { defined } from '../../defined.js';
import type { Problem } from '../../failure.js';
import type { CheckResult } from '../../preflight/check.js';
import type { Preflight } from '../../workflows/preflight.js';
import { type Colors, plain } from './color.js';
import { details } from './failure-text.js';
import { counted } from './format.js';
import { oneLine } from './printable.js';

/**
 * What a preflight found, per host and then of the cluster: failed checks and warnings with what to do, and hosts that
 * could not be reached. One line where all is well; every check that passed too with `verbose`.
 */
export function preflightText(
  { cluster, hosts, checks, advice }: Preflight,
  { colors = plain, verbose = false }: { readonly colors?: Colors; readonly verbose?: boolean } = {},
): string {
  const own = (name: string) => checks.filter((one) => one.scope !== 'cluster' && one.hosts[0] === name);
  const parts = [
    ...hosts.map(({ name, problem }) => part(name, own(name), problem, colors, verbose)),
    part(
      `cluster ${cluster}`,
      checks.filter(({ scope }) => scope === 'cluster'),
      undefined,
      colors,
      verbose,
    ),
  ];
  return [
    ...parts.filter((text) => text !== ''),
    ...advice.map(({ host, text }) => colors('yellow', `${host}: ${oneLine(text)}`)),
    verdict({ cluster, hosts, checks }, colors),
    '',
  ].join('\n');
}

const part = (
  title: string,
  results: readonly CheckResult[],
  problem: Problem | undefined,
  colors: Colors,
  verbose: boolean,
): string => {
  const shown = results.filter(({ ok, warning }) => verbose || !ok || warning);
  if (problem === undefined && shown.length === 0) return '';
  return [
    colors('bold', title),
    ...(problem === undefined ? [] : [line('✘', problem.what, colors), ...indented(details(problem, colors))]),
    ...shown.flatMap((result) => resultLines(result, colors)),
  ].join('\n');
};

const resultLines = ({ name, scope, hosts, ok, warning, detail, why = [], next }: CheckResult, colors: Colors) => {
  const about = (!ok || warning) && scope === 'cluster' && hosts.length > 0 ? ` (${hosts.join(', ')})` : '';
  const rest = { code: 'preflight', what: detail, where: {}, why, ...defined({ next }) };
  return [
    line(warning ? '!' : ok ? '✔' : '✘', `${name}: ${detail}${about}`, colors),
    ...indented(details(rest, colors)),
  ];
};

const styles = { '✔': 'green', '!': 'yellow', '✘': 'red' } as const;

const line = (mark: keyof typeof styles, text: string, colors: Colors): string =>
  `  ${colors(styles[mark], mark)} ${text}`;

const indented = (lines: readonly string[]): readonly string[] => lines.map((text) => `  ${text}`);

const verdict = ({ cluster, hosts, checks }: Omit<Preflight, 'advice'>, colors: Colors): string => {
  const failed = checks.filter(({ ok }) => !ok).length;
  const unreachable = hosts.filter(({ problem }) => problem !== undefined).length;
  const away = unreachable === 0 ? '' : `${unreachable} of ${counted(hosts.length, 'host')} could not be reached`;
  if (failed > 0) {
    return colors('red', `not ready: ${counted(failed, 'check')} failed${away && `, and ${away}`}`);
  }
  if (away !== '') return colors('red', checks.length === 0 ? away : `no check failed, but ${away}`);
  const warnings = checks.filter(({ warning }) => warning).length;
  const warned = warnings === 0 ? '' : `, ${counted(warnings, 'warning')}`;
  return colors('green', `ready: ${counted(hosts.length, 'host')} of cluster ${cluster}, no check failed${warned}`);
};
