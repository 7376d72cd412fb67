import type { Event } from '../../engine/event.js';
import type { Problem } from '../../failure.js';

/** Where every host of a run stands: what the tree is drawn from. */
export interface Progress {
  readonly workflow: string;
  readonly cluster: string;
  readonly hosts: readonly HostProgress[];
  readonly end?: RunEnd;
}

/** The event that a run ends with. */
export type RunEnd = Extract<Event, { type: 'run'; state: 'done' | 'failed' }>;

export interface HostProgress {
  readonly host: string;
  readonly phases: readonly string[];
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  /** Whether kbs knows the state of the host. */
  readonly observed: boolean;
  readonly phase?: string;
  /** What the host waits for, where it waits. */
  readonly wait?: string;
  /** Names of the phases that are done. */
  readonly done: readonly string[];
  /** Changes of the phases that are done; changes done and to do in this one. */
  readonly changes: number;
  readonly step: number;
  readonly steps: number;
  readonly problem?: Problem;
  /** Milliseconds since the epoch. */
  readonly began?: number;
  readonly ended?: number;
}

/** Follows a run event by event. `now` is the state so far, or nothing before the run has begun. */
export function trackProgress(): { update(event: Event): void; now(): Progress | undefined } {
  let run: Omit<Progress, 'hosts'> | undefined;
  const hosts = new Map<string, HostProgress>();
  return {
    update(event) {
      if (event.type !== 'run') {
        const host = hosts.get(event.host);
        if (host) hosts.set(event.host, after(host, event));
      } else if (event.state === 'started') {
        run = { workflow: event.workflow, cluster: event.cluster };
        for (const outline of event.hosts) hosts.set(outline.host, fresh(outline.host, outline.phases));
      } else if (run && event.state !== 'planned') {
        run = { ...run, end: event };
        if (event.state === 'done') for (const host of hosts.values()) hosts.set(host.host, ended(host, event.at));
      }
    },
    now: () => run && { ...run, hosts: [...hosts.values()] },
  };
}

const fresh = (host: string, phases: readonly string[]): HostProgress => ({
  host,
  phases,
  state: 'waiting',
  observed: false,
  done: [],
  changes: 0,
  step: 0,
  steps: 0,
});

type HostEvent = Exclude<Event, { type: 'run' }>;
type PhaseDone = Extract<Event, { type: 'phase'; state: 'done' }>;

/** A host after one more event. */
function after(host: HostProgress, event: HostEvent): HostProgress {
  const { wait: _wait, ...free } = host;
  const running = { ...free, state: 'running', began: host.began ?? event.at } as const;
  switch (event.type) {
    case 'host':
      if (event.state === 'failed') return failed(host, event.error, event.at);
      return { ...running, observed: event.state === 'observed' };
    case 'phase':
      if (event.state === 'failed') return failed({ ...host, phase: event.phase }, event.error, event.at);
      if (event.state === 'waiting') return { ...running, phase: event.phase, wait: `waits for ${event.on}` };
      if (event.state === 'started') return { ...running, phase: event.phase, step: 0, steps: event.changes };
      return phaseDone(running, event);
    case 'change':
      if (event.state === 'started') return host;
      return { ...running, phase: event.phase, step: host.step + 1 };
    case 'gate':
      if (event.state === 'failed') return failed({ ...host, phase: event.phase }, event.error, event.at);
      if (event.state === 'done') return { ...running, phase: event.phase };
      return { ...running, phase: event.phase, wait: `waits until ${event.gate}` };
  }
}

function phaseDone(host: HostProgress, { phase, changes, at }: PhaseDone): HostProgress {
  const now = { ...host, done: [...host.done, phase], changes: host.changes + changes };
  return now.phases.every((each) => now.done.includes(each)) ? ended(now, at) : now;
}

const ended = (host: HostProgress, at: number): HostProgress =>
  host.state === 'failed' || host.state === 'done' ? host : { ...host, state: 'done', ended: at };

/** The first reason stays: what fails after it is most often its consequence. */
const failed = (host: HostProgress, problem: Problem, at: number): HostProgress =>
  host.state === 'failed' ? host : { ...host, state: 'failed', problem, ended: at };
