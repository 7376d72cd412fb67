import type { OutageStatistics } from './outage-statistics.js';

/** One fault, and what it cost. */
export interface Outage {
  readonly fault: string;
  /** What was done, as a phrase with the host. */
  readonly what: string;
  /** Seconds until it was repaired. */
  readonly lasted: number;
  /** Seconds from the repair until all was Ready again. */
  readonly healed: number;
  readonly reads: OutageStatistics;
  readonly writes: OutageStatistics;
  readonly calls: OutageStatistics;
}

/** The outages as a table in Markdown, with a line of totals. */
export const tableOf = (outages: readonly Outage[]): string =>
  [
    '| fault | for | API reads failed | first to last | longest gap | writes failed | pod calls failed | longest gap | all Ready after |',
    '|---|---|---|---|---|---|---|---|---|',
    ...outages.map(({ what, lasted, healed, reads, writes, calls }) =>
      row([
        what,
        seconds(lasted),
        ...[ratio(reads), span(reads), seconds(reads.gap)],
        ratio(writes),
        ...[ratio(calls), seconds(calls.gap)],
        seconds(healed),
      ]),
    ),
    row([
      'all of them',
      seconds(sum(outages.map(({ lasted }) => lasted))),
      total(outages.map(({ reads }) => reads)),
      '',
      seconds(Math.max(0, ...outages.map(({ reads }) => reads.gap))),
      total(outages.map(({ writes }) => writes)),
      total(outages.map(({ calls }) => calls)),
      seconds(Math.max(0, ...outages.map(({ calls }) => calls.gap))),
      '',
    ]),
  ].join('\n');

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const seconds = (value: number): string => `${value.toFixed(1)} s`;
const ratio = ({ asked, failed }: Pick<OutageStatistics, 'asked' | 'failed'>): string => `${failed} of ${asked}`;
const span = ({ first, last }: OutageStatistics): string =>
  first === undefined || last === undefined ? '' : `${first.toFixed(1)} to ${seconds(last)}`;
const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
const total = (costs: readonly OutageStatistics[]): string =>
  ratio({ asked: sum(costs.map(({ asked }) => asked)), failed: sum(costs.map(({ failed }) => failed)) });
