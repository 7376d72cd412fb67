import type { Event, EventData, HostOutline } from '../../../src/engine/event.js';

/** Milliseconds since the epoch at which all runs of these tests begin. */
export const began = 1_800_000_000_000;

/** Happenings as events, `step` milliseconds apart. */
export const eventsOf = (happenings: readonly EventData[], step = 1_000): readonly Event[] =>
  happenings.map((happening, index) => ({ at: began + index * step, ...happening }));

export const started = (hosts: readonly string[], phases: readonly string[] = ['system', 'images']): EventData => ({
  type: 'run',
  state: 'started',
  workflow: 'init',
  cluster: 'hybrid',
  hosts: hosts.map((host): HostOutline => ({ host, phases })),
});

export const runDone = (hosts: number, changes: number, ms: number): EventData => ({
  type: 'run',
  state: 'done',
  summary: { changes, hosts, skipped: [], ms },
});

export const runFailed = (hosts: number, what: string): EventData => ({
  type: 'run',
  state: 'failed',
  error: { code: 'unreachable', what, where: {}, why: [] },
  summary: { changes: 0, hosts, skipped: [], ms: 3_400 },
});

export const looked = (host: string): EventData => ({ type: 'host', host, state: 'observed' });

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
