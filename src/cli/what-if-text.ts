import type { Forecast, Foreseen } from '../foresight/foresee.js';
import type { Foresight } from '../workflows/what-if.js';
import { type Paint, paintFor } from './paint.js';
import { some } from './words.js';

type One = Foresight['forecasts'][number];

/** What becomes of a cluster that loses this and that together, aspect by aspect. */
export function lossText(foresight: Foresight, paint: Paint = paintFor(process.stdout)): string {
  return foresight.forecasts.map((forecast) => single(foresight.cluster, forecast, paint)).join('\n');
}

/** Every single loss as a table, the worst first, and below it what is to be done about those that it would not outlive. */
export function lossesText({ cluster, forecasts }: Foresight, paint: Paint = paintFor(process.stdout)): string {
  const failing = forecasts.filter(({ verdict }) => verdict === 'fail');
  const losses = forecasts.reduce((sum, { alike }) => sum + 1 + alike.length, 0);
  const fatal = failing.reduce((sum, { alike }) => sum + 1 + alike.length, 0);
  const title =
    fatal === 0
      ? paint('green', `outlives each of ${losses} single losses`)
      : paint('red', `would not outlive ${fatal} of ${losses} single losses`);
  return [
    `${paint('bold', cluster)} ${title}`,
    '',
    ...table(forecasts, paint),
    '',
    paint('dim', `${marks.pass} holds   ${marks.degraded} goes on with nothing to spare   ${marks.fail} fails`),
    ...failing.flatMap((forecast) => ['', paint('bold', name(forecast)), ...broken(forecast, paint)]),
    '',
  ].join('\n');
}

function single(cluster: string, forecast: One, paint: Paint): string {
  const { lose, takes, verdict, findings } = forecast;
  const besides = takes.filter((host) => !lose.includes(host));
  const words = { pass: 'holds', degraded: 'goes on with less', fail: 'would not go on' };
  const width = widest(findings.map(({ aspect }) => titles[aspect]));
  return [
    `${paint('bold', cluster)} without ${lose.join(', ')}: ${coloured(paint, verdict, words[verdict])}`,
    ...(besides.length > 0 ? [paint('dim', `  which takes ${some(besides, 8)}`)] : []),
    '',
    ...findings.flatMap((finding, index) => [
      `${mark(paint, finding.verdict)} ${titles[finding.aspect].padEnd(width)}  ${finding.says}`,
      ...mendLines(finding, findings.slice(0, index), width + 4, paint),
    ]),
    '',
  ].join('\n');
}

function table(forecasts: readonly One[], paint: Paint): readonly string[] {
  const aspects = forecasts[0]?.findings.map(({ aspect }) => aspect) ?? [];
  const width = widest(forecasts.map(name));
  const head = aspects.map((aspect) => titles[aspect]).join('  ');
  return [
    paint('dim', `  ${' '.repeat(width)}  ${head}`),
    ...forecasts.map((forecast) => {
      const cells = forecast.findings.map(({ aspect, verdict }) => mark(paint, verdict, titles[aspect].length));
      return `${mark(paint, forecast.verdict)} ${name(forecast).padEnd(width)}  ${cells.join('  ')}`.trimEnd();
    }),
  ];
}

function broken({ findings }: Forecast, paint: Paint): readonly string[] {
  const failed = findings.filter(({ verdict }) => verdict === 'fail');
  const width = widest(failed.map(({ aspect }) => titles[aspect]));
  return failed.flatMap((finding, index) => [
    `  ${titles[finding.aspect].padEnd(width)}  ${finding.says}`,
    ...mendLines(finding, failed.slice(0, index), width + 4, paint),
  ]);
}

/** One step a line; what stands above already is not said again. */
function mendLines(finding: Foreseen, above: readonly Foreseen[], indent: number, paint: Paint): readonly string[] {
  if (finding.verdict !== 'fail') return [];
  const space = ' '.repeat(indent);
  if (finding.mend === undefined) return [`${space}${paint('dim', 'no small change mends this')}`];
  const steps = stepsOf(finding);
  const before = stepsOf(above.findLast(({ mend }) => mend !== undefined));
  const continues = before.length > 0 && before.every((step) => steps.includes(step));
  const more = continues ? steps.filter((step) => !before.includes(step)) : steps;
  if (more.length === 0) return [`${space}${paint('dim', 'mended by the same')}`];
  return more.map((step, index) => `${space}${paint('cyan', `${index > 0 || continues ? '+' : '→'} ${step}`)}`);
}

const stepsOf = (finding: Foreseen | undefined): readonly string[] => finding?.mend?.says.split('; ') ?? [];

const titles: Readonly<Record<Foreseen['aspect'], string>> = {
  etcd: 'etcd',
  api: 'API',
  dns: 'DNS',
  routes: 'routes',
  workers: 'workers',
  gpu: 'GPUs',
};

const name = ({ lose, alike }: One): string =>
  `${lose.join(', ')}${alike.length > 0 ? ` and ${alike.length} like it` : ''}`;

const marks = { pass: '✔', degraded: '~', fail: '✘' } as const;

const mark = (paint: Paint, verdict: Foreseen['verdict'], width = 1): string =>
  coloured(paint, verdict, marks[verdict].padEnd(width));

const coloured = (paint: Paint, verdict: Foreseen['verdict'], text: string): string =>
  paint(({ pass: 'green', degraded: 'yellow', fail: 'red' } as const)[verdict], text);

const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map(({ length }) => length));
