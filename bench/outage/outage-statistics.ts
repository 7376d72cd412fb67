import type { Sample } from './interval-prober.js';

/** What an outage cost the clients. Seconds are counted from the fault. */
export interface OutageStatistics {
  readonly asked: number;
  readonly failed: number;
  /** When the first and the last request that failed were started; a request that was under way counts as 0. */
  readonly first?: number;
  readonly last?: number;
  /** The longest time between two requests that succeeded, in seconds. */
  readonly gap: number;
  /** Why they failed: how often each reason was given. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** The time in which a fault is measured, in milliseconds since the epoch. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What was under way at the fault counts; what was started after the end does not. */
export const statisticsOf = (samples: readonly Sample[], { from, to }: Span): OutageStatistics => {
  const within = samples.filter(({ at, ms }) => at + ms >= from && at <= to).toSorted((a, b) => a.at - b.at);
  const failures = within.filter(({ error }) => error !== undefined);
  const good = within.filter(({ error }) => error === undefined).map(({ at }) => at);
  const marks = [from, ...good, to];
  const gap = Math.max(...marks.slice(1).map((mark, index) => mark - (marks[index] ?? mark)));
  const after = (at: number): number => Math.max(0, at - from) / 1000;
  const [first, last] = [failures[0], failures.at(-1)];
  const reasons: Record<string, number> = {};
  for (const { error = '' } of failures) reasons[error] = (reasons[error] ?? 0) + 1;
  return {
    asked: within.length,
    failed: failures.length,
    ...(first && { first: after(first.at) }),
    ...(last && { last: after(last.at) }),
    gap: gap / 1000,
    reasons,
  };
};
