import type { Event } from '../src/engine/event.js';
import type { KbsRun } from './kbs.js';

/**
 * A row for each part of a run: when it began on the first host and ended on the last, in seconds since kbs was
 * started, and how long the slowest host took. Hosts do not wait for each other and parts overlap, so they do not add up.
 */
export const phaseRows = ({ began, seconds, events }: KbsRun): readonly string[] => {
  const spans = [
    { name: 'start, keys, bundle', from: began, to: events[0]?.at ?? began },
    ...spansOf(events),
    { name: 'end', from: events.at(-1)?.at ?? began, to: began + seconds * 1000 },
  ];
  const names = [...new Set(spans.map(({ name }) => name))];
  const cell = (ms: number): string => (ms / 1000).toFixed(1).padStart(8);
  const row = (name: string): string => {
    const own = spans.filter((span) => span.name === name);
    const from = Math.min(...own.map((span) => span.from));
    const to = Math.max(...own.map((span) => span.to));
    const longest = Math.max(...own.map((span) => span.to - span.from));
    return `${name.padEnd(22)}${cell(from - began)}${cell(to - began)}${cell(longest)}`;
  };
  return [`${'phase'.padEnd(22)}    from      to  slowest host`, ...names.map(row)];
};

interface Span {
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
}

/** What began and ended on each host, in the order in which it ended. */
const spansOf = (events: readonly Event[]): readonly Span[] => {
  const begun = new Map<string, number>();
  return events.flatMap((event) => {
    if (event.type !== 'host' && event.type !== 'phase') return [];
    const name = event.type === 'phase' ? event.phase : 'connect, query';
    const key = `${event.host} ${name}`;
    if (event.state === 'connecting' || event.state === 'started') begun.set(key, event.at);
    const from = begun.get(key);
    const ended = event.state === 'observed' || event.state === 'done';
    return ended && from !== undefined ? [{ name, from, to: event.at }] : [];
  });
};
