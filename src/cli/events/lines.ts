import type { Event, Summary } from '../../engine/event.js';
import { verbOf } from '../../engine/plan.js';
import type { Problem } from '../../failure.js';
import { plain } from '../text/color.js';
import { details } from '../text/failure-text.js';
import { counted, duration } from '../text/format.js';
import { oneLine } from '../text/printable.js';
import { type HostProblem, problemKey } from '../text/problem-groups.js';
import type { EventSink } from './event-sink.js';
import type { RunEnd } from './progress.js';

export interface LinesOptions {
  /** Takes one line at a time, without its newline. */
  readonly write: (line: string) => void;
  /** Also says what began and what needed no change. */
  readonly verbose?: boolean;
}

/**
 * One line per event that means something, with the time since the run began: what a pipe or a log gets. Below the line
 * of a host that fails stand why and what to do next, unless they stand there for another host already.
 */
export function lines({ write, verbose = false }: LinesOptions): EventSink {
  let began: number | undefined;
  const explained = new Set<string>();
  return (event) => {
    began ??= event.at;
    const text = lineOf(event, verbose);
    if (text !== undefined) write(`${duration(event.at - began)} ${oneLine(text)}`);
    const found = problemIn(event);
    if (found === undefined || explained.has(problemKey(found))) return;
    explained.add(problemKey(found));
    for (const line of details(found.problem, plain)) for (const each of line.split('\n')) write(each);
  };
}

/** The problem of a host that fails. That of a whole run is printed where the command ends. */
const problemIn = (event: Event): HostProblem | undefined =>
  event.type !== 'run' && event.state === 'failed' ? { host: event.host, problem: event.error } : undefined;

/** What an event says in one line, or nothing where only a curious reader would care. */
export function lineOf(event: Event, verbose: boolean): string | undefined {
  switch (event.type) {
    case 'run':
      if (event.state === 'started')
        return `${event.workflow} ${event.cluster}: ${counted(event.hosts.length, 'host')}`;
      return event.state === 'planned' ? totalOf(event.summary) : endOf(event);
    case 'host':
      if (event.state === 'failed') return `${event.host}: skipped: ${event.error.what}`;
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

/** The end of a run in one line: `41 changes on 3 hosts in 52.1s`; of a run that only plans, `41 changes to make on …`; or why it stopped. */
export const endOf = (event: RunEnd): string =>
  event.state === 'done' ? totalOf(event.summary) : `stopped: ${event.error.what}`;

function totalOf({ changes, pending = 0, hosts, skipped, ms }: Summary): string {
  const made = pending > 0 ? `${counted(pending, 'change')} to make` : counted(changes, 'change');
  const did = changes + pending === 0 ? 'nothing to change' : made;
  const left = skipped.length === 0 ? '' : `, ${counted(skipped.length, 'host')} skipped`;
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
