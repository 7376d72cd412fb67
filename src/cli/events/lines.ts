import type { Event, Summary } from '../../engine/event.js';
import { verbOf } from '../../engine/plan.js';
import type { Problem } from '../../failure.js';
import { counted, duration } from '../text/format.js';
import type { EventSink } from './event-sink.js';
import type { RunEnd } from './progress.js';

export interface LinesOptions {
  /** Takes one line at a time, without its newline. */
  readonly write: (line: string) => void;
  /** Also says what began and what needed no change. */
  readonly verbose?: boolean;
}

/** One line per event that means something, with the time since the run began: what a pipe or a log gets. */
export function lines({ write, verbose = false }: LinesOptions): EventSink {
  let began: number | undefined;
  return (event) => {
    began ??= event.at;
    const text = lineOf(event, verbose);
    if (text !== undefined) write(`${duration(event.at - began)} ${text}`);
  };
}

/** What an event says in one line, or nothing where only a curious reader would care. */
export function lineOf(event: Event, verbose: boolean): string | undefined {
  switch (event.type) {
    case 'run':
      if (event.state === 'started')
        return `${event.workflow} ${event.cluster}: ${counted(event.hosts.length, 'host')}`;
      return event.state === 'planned' ? totalOf(event.summary) : endOf(event);
    case 'host':
      if (event.state === 'failed') return `${event.host}: set aside: ${event.error.what}`;
      return verbose ? `${event.host}: ${event.state}` : undefined;
    case 'phase':
      return prefixed(event, phaseWords(event, verbose));
    case 'gate':
      return prefixed(event, gateWords(event));
    case 'change':
      return verbose && event.state === 'done'
        ? prefixed(event, `${verbOf(event.change)} ${event.change.kind} ${event.change.id}`)
        : undefined;
  }
}

/** The end of a run in one line: `41 changes on 3 hosts in 52.1s`; of a look, `41 changes to make on …`; or why it stopped. */
export const endOf = (event: RunEnd): string =>
  event.state === 'done' ? totalOf(event.summary) : `stopped: ${event.error.what}`;

function totalOf({ changes, pending = 0, hosts, skipped, ms }: Summary): string {
  const made = pending > 0 ? `${counted(pending, 'change')} to make` : counted(changes, 'change');
  const did = changes + pending === 0 ? 'nothing to change' : made;
  const left = skipped.length === 0 ? '' : `, ${counted(skipped.length, 'host')} set aside`;
  return `${did} on ${counted(hosts, 'host')} in ${duration(ms)}${left}`;
}

type PhaseEvent = Extract<Event, { type: 'phase' }>;
type GateEvent = Extract<Event, { type: 'gate' }>;

function phaseWords(event: PhaseEvent, verbose: boolean): string | undefined {
  switch (event.state) {
    case 'waiting':
      return `waits for ${event.on}`;
    case 'started':
      return verbose ? `${counted(event.changes, 'change')} to make` : undefined;
    case 'done':
      if (event.changes === 0) return verbose ? 'nothing to change' : undefined;
      return `${counted(event.changes, 'change')} done in ${duration(event.ms)}`;
    case 'failed':
      return failed(event.error);
  }
}

function gateWords(event: GateEvent): string {
  switch (event.state) {
    case 'started':
      return `waits until ${event.gate}`;
    case 'done':
      return `${event.gate}, after ${duration(event.ms)}`;
    case 'failed':
      return failed(event.error);
  }
}

const failed = (problem: Problem): string => `failed: ${problem.what}`;

const prefixed = (event: { host: string; phase: string }, words: string | undefined): string | undefined =>
  words === undefined ? undefined : `${event.host} ${event.phase}: ${words}`;
