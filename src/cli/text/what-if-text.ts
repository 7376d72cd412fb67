import type { FindingWithFix, ScenarioReport } from '../../impact/assess.js';
import type { WhatIfReport } from '../../workflows/what-if.js';
import { type Colors, colorsFor } from './color.js';
import { some } from './format.js';
import { oneLine } from './printable.js';

type Scenario = WhatIfReport['scenarios'][number];

/** The cluster after what fails together, aspect by aspect. */
export function scenarioText(report: WhatIfReport, colors: Colors = colorsFor(process.stdout)): string {
  return report.scenarios.map((scenario) => aspectsText(report.cluster, scenario, colors)).join('\n');
}

/** Every single failure as a table, the worst first, and below it the fixes for those that break something. */
export function scenariosText(
  { cluster, scenarios }: WhatIfReport,
  colors: Colors = colorsFor(process.stdout),
): string {
  const failing = scenarios.filter(({ status }) => status === 'fail');
  const count = (list: readonly Scenario[]): number => list.reduce((sum, { alike }) => sum + 1 + alike.length, 0);
  const title =
    failing.length === 0
      ? colors('green', `survives each of ${count(scenarios)} single failures`)
      : colors('red', `would not survive ${count(failing)} of ${count(scenarios)} single failures`);
  return [
    `${colors('bold', cluster)} ${title}`,
    '',
    ...table(scenarios, colors),
    '',
    colors('dim', `${marks.pass} works   ${marks.degraded} works with nothing in reserve   ${marks.fail} fails`),
    ...failing.flatMap((scenario) => ['', colors('bold', name(scenario)), ...failedAspects(scenario, colors)]),
    '',
  ].join('\n');
}

function aspectsText(cluster: string, { without, affects, status, findings }: Scenario, colors: Colors): string {
  const others = affects.filter((host) => !without.includes(host));
  const words = { pass: 'works', degraded: 'works with less in reserve', fail: 'fails' };
  const width = widest(findings.map(({ aspect }) => titles[aspect]));
  return [
    `${colors('bold', cluster)} without ${oneLine(without.join(', '))}: ${colored(colors, status, words[status])}`,
    ...(others.length > 0 ? [colors('dim', `  down with it: ${oneLine(some(others, 8))}`)] : []),
    '',
    ...findings.flatMap((finding, index) => [
      `${mark(colors, finding.status)} ${titles[finding.aspect].padEnd(width)}  ${oneLine(finding.message)}`,
      ...fixLines(finding, findings.slice(0, index), width + 4, colors),
    ]),
    '',
  ].join('\n');
}

function table(scenarios: readonly Scenario[], colors: Colors): readonly string[] {
  const aspects = scenarios[0]?.findings.map(({ aspect }) => aspect) ?? [];
  const width = widest(scenarios.map(name));
  const head = aspects.map((aspect) => titles[aspect]).join('  ');
  return [
    colors('dim', `  ${' '.repeat(width)}  ${head}`),
    ...scenarios.map((scenario) => {
      const cells = scenario.findings.map(({ aspect, status }) => mark(colors, status, titles[aspect].length));
      return `${mark(colors, scenario.status)} ${name(scenario).padEnd(width)}  ${cells.join('  ')}`.trimEnd();
    }),
  ];
}

function failedAspects({ findings }: ScenarioReport, colors: Colors): readonly string[] {
  const failed = findings.filter(({ status }) => status === 'fail');
  const width = widest(failed.map(({ aspect }) => titles[aspect]));
  return failed.flatMap((finding, index) => [
    `  ${titles[finding.aspect].padEnd(width)}  ${oneLine(finding.message)}`,
    ...fixLines(finding, failed.slice(0, index), width + 4, colors),
  ]);
}

/** One step a line; the steps of the fix above are not repeated. */
function fixLines(
  finding: FindingWithFix,
  above: readonly FindingWithFix[],
  indent: number,
  colors: Colors,
): readonly string[] {
  if (finding.status !== 'fail') return [];
  const space = ' '.repeat(indent);
  if (finding.fix === undefined) return [`${space}${colors('dim', 'no small change fixes this')}`];
  const steps = stepsOf(finding);
  const before = stepsOf(above.findLast(({ fix }) => fix !== undefined));
  const continues = before.length > 0 && before.every((step) => steps.includes(step));
  const more = continues ? steps.filter((step) => !before.includes(step)) : steps;
  if (more.length === 0) return [`${space}${colors('dim', 'fixed by the same change')}`];
  return more.map((step, index) => `${space}${colors('cyan', `${index > 0 || continues ? '+' : '→'} ${step}`)}`);
}

const stepsOf = (finding: FindingWithFix | undefined): readonly string[] =>
  finding?.fix?.description.split('; ').map(oneLine) ?? [];

const titles: Readonly<Record<FindingWithFix['aspect'], string>> = {
  etcd: 'etcd',
  api: 'API',
  dns: 'DNS',
  routes: 'routes',
  workers: 'workers',
  gpu: 'GPUs',
  forwards: 'forwards',
};

const name = ({ without, alike }: Scenario): string =>
  `${oneLine(without.join(', '))}${alike.length > 0 ? ` and ${alike.length} like it` : ''}`;

const marks = { pass: '✔', degraded: '~', fail: '✘' } as const;

const mark = (colors: Colors, status: FindingWithFix['status'], width = 1): string =>
  colored(colors, status, marks[status].padEnd(width));

const colored = (colors: Colors, status: FindingWithFix['status'], text: string): string =>
  colors(({ pass: 'green', degraded: 'yellow', fail: 'red' } as const)[status], text);

const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map(({ length }) => length));
