import type { Event, EventData, HostOutline, SkippedHost } from '../../../src/engine/event.js';

/** Milliseconds since the epoch at which all runs of these tests begin. */
export const began = 1_800_000_000_000;

/** Event data as events, `step` milliseconds apart. */
export const eventsOf = (data: readonly EventData[], step = 1_000): readonly Event[] =>
  data.map((each, index) => ({ at: began + index * step, ...each }));

export const started = (hosts: readonly string[], phases: readonly string[] = ['system', 'images']): EventData => ({
  type: 'run',
  state: 'started',
  workflow: 'init',
  cluster: 'hybrid',
  hosts: hosts.map((host): HostOutline => ({ host, phases })),
});

export const runDone = (
  hosts: number,
  changes: number,
  ms: number,
  skipped: readonly SkippedHost[] = [],
): EventData => ({
  type: 'run',
  state: 'done',
  summary: { changes, hosts, skipped, ms },
});

/** A host that could not be reached, with a reason and a next step that are the same for every host. */
export const unreachable = (host: string): SkippedHost => ({
  host,
  problem: {
    code: 'unreachable',
    what: `cannot connect to ${host}`,
    where: { host },
    why: ['timed out'],
    next: `see that ${host} is up`,
  },
});

export const runFailed = (hosts: number, what: string): EventData => ({
  type: 'run',
  state: 'failed',
  error: { code: 'unreachable', what, where: {}, why: [] },
  summary: { changes: 0, hosts, skipped: [], ms: 3_400 },
});

export const observed = (host: string): EventData => ({ type: 'host', host, state: 'observed' });

export const phaseStarted = (host: string, phase: string, changes: number): EventData => ({
  type: 'phase',
  host,
  phase,
  state: 'started',
  changes,
});

export const phaseDone = (host: string, phase: string, changes: number, ms = 3_100): EventData => ({
  type: 'phase',
  host,
  phase,
  state: 'done',
  changes,
  ms,
});

export const changed = (host: string, phase: string, id: string): EventData => ({
  type: 'change',
  host,
  phase,
  state: 'done',
  change: { kind: 'file', id, action: 'create' },
});

export const phaseFailed = (host: string, phase: string, what: string): EventData => ({
  type: 'phase',
  host,
  phase,
  state: 'failed',
  error: { code: 'refused', what, where: { host, phase }, why: [] },
});

export const hostFailed = (host: string, what: string): EventData => ({
  type: 'host',
  host,
  state: 'failed',
  error: { code: 'unreachable', what, where: { host }, why: [] },
});
