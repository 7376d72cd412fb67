import type { Assessment, Forecast } from '../../impact/assess.js';
import type { WhatIfReport } from '../../workflows/what-if.js';
import { type Colors, colorsFor } from './color.js';
import { some } from './format.js';
import { oneLine } from './printable.js';

type One = WhatIfReport['forecasts'][number];

/** What happens to a cluster that loses several things together, aspect by aspect. */
export function scenarioText(report: WhatIfReport, colors: Colors = colorsFor(process.stdout)): string {
  return report.forecasts.map((forecast) => single(report.cluster, forecast, colors)).join('\n');
}

/** Every single loss as a table, the worst first, and below it the fixes for those that the cluster would not outlive. */
export function scenariosText(
  { cluster, forecasts }: WhatIfReport,
  colors: Colors = colorsFor(process.stdout),
): string {
  const failing = forecasts.filter(({ verdict }) => verdict === 'fail');
  const losses = forecasts.reduce((sum, { alike }) => sum + 1 + alike.length, 0);
  const fatal = failing.reduce((sum, { alike }) => sum + 1 + alike.length, 0);
  const title =
    fatal === 0
      ? colors('green', `outlives each of ${losses} single losses`)
      : colors('red', `would not outlive ${fatal} of ${losses} single losses`);
  return [
    `${colors('bold', cluster)} ${title}`,
    '',
    ...table(forecasts, colors),
    '',
    colors('dim', `${marks.pass} holds   ${marks.degraded} goes on with nothing to spare   ${marks.fail} fails`),
    ...failing.flatMap((forecast) => ['', colors('bold', name(forecast)), ...broken(forecast, colors)]),
    '',
  ].join('\n');
}

function single(cluster: string, forecast: One, colors: Colors): string {
  const { lose, takes, verdict, findings } = forecast;
  const besides = takes.filter((host) => !lose.includes(host));
  const words = { pass: 'holds', degraded: 'goes on with less', fail: 'would not go on' };
  const width = widest(findings.map(({ aspect }) => titles[aspect]));
  return [
    `${colors('bold', cluster)} without ${oneLine(lose.join(', '))}: ${coloured(colors, verdict, words[verdict])}`,
    ...(besides.length > 0 ? [colors('dim', `  which takes ${oneLine(some(besides, 8))}`)] : []),
    '',
    ...findings.flatMap((finding, index) => [
      `${mark(colors, finding.verdict)} ${titles[finding.aspect].padEnd(width)}  ${oneLine(finding.says)}`,
      ...fixLines(finding, findings.slice(0, index), width + 4, colors),
    ]),
    '',
  ].join('\n');
}

function table(forecasts: readonly One[], colors: Colors): readonly string[] {
  const aspects = forecasts[0]?.findings.map(({ aspect }) => aspect) ?? [];
  const width = widest(forecasts.map(name));
  const head = aspects.map((aspect) => titles[aspect]).join('  ');
  return [
    colors('dim', `  ${' '.repeat(width)}  ${head}`),
    ...forecasts.map((forecast) => {
      const cells = forecast.findings.map(({ aspect, verdict }) => mark(colors, verdict, titles[aspect].length));
      return `${mark(colors, forecast.verdict)} ${name(forecast).padEnd(width)}  ${cells.join('  ')}`.trimEnd();
    }),
  ];
}

function broken({ findings }: Forecast, colors: Colors): readonly string[] {
  const failed = findings.filter(({ verdict }) => verdict === 'fail');
  const width = widest(failed.map(({ aspect }) => titles[aspect]));
  return failed.flatMap((finding, index) => [
    `  ${titles[finding.aspect].padEnd(width)}  ${oneLine(finding.says)}`,
    ...fixLines(finding, failed.slice(0, index), width + 4, colors),
  ]);
}

/** One step a line; what stands above already is not said again. */
function fixLines(
  finding: Assessment,
  above: readonly Assessment[],
  indent: number,
  colors: Colors,
): readonly string[] {
  if (finding.verdict !== 'fail') return [];
  const space = ' '.repeat(indent);
  if (finding.mend === undefined) return [`${space}${colors('dim', 'no small change fixes this')}`];
  const steps = stepsOf(finding);
  const before = stepsOf(above.findLast(({ mend }) => mend !== undefined));
  const continues = before.length > 0 && before.every((step) => steps.includes(step));
  const more = continues ? steps.filter((step) => !before.includes(step)) : steps;
  if (more.length === 0) return [`${space}${colors('dim', 'fixed by the same')}`];
  return more.map((step, index) => `${space}${colors('cyan', `${index > 0 || continues ? '+' : '→'} ${step}`)}`);
}

const stepsOf = (finding: Assessment | undefined): readonly string[] =>
  finding?.mend?.says.split('; ').map(oneLine) ?? [];

const titles: Readonly<Record<Assessment['aspect'], string>> = {
  etcd: 'etcd',
  api: 'API',
  dns: 'DNS',
  routes: 'routes',
  workers: 'workers',
  gpu: 'GPUs',
};

const name = ({ lose, alike }: One): string =>
  `${oneLine(lose.join(', '))}${alike.length > 0 ? ` and ${alike.length} like it` : ''}`;

const marks = { pass: '✔', degraded: '~', fail: '✘' } as const;

const mark = (colors: Colors, verdict: Assessment['verdict'], width = 1): string =>
  coloured(colors, verdict, marks[verdict].padEnd(width));

const coloured = (colors: Colors, verdict: Assessment['verdict'], text: string): string =>
  colors(({ pass: 'green', degraded: 'yellow', fail: 'red' } as const)[verdict], text);

const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map(({ length }) => length));
