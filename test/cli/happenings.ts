import type { Event, Happening, HostOutline } from '../../src/engine/event.js';

/** Milliseconds since the epoch at which all runs of these tests begin. */
export const began = 1_800_000_000_000;

/** Happenings as events, `step` milliseconds apart. */
export const eventsOf = (happenings: readonly Happening[], step = 1_000): readonly Event[] =>
  happenings.map((happening, index) => ({ at: began + index * step, ...happening }));

export const started = (hosts: readonly string[], phases: readonly string[] = ['system', 'images']): Happening => ({
  type: 'run',
  state: 'started',
  workflow: 'init',
  cluster: 'hybrid',
  hosts: hosts.map((host): HostOutline => ({ host, phases })),
});

export const runDone = (hosts: number, changes: number, ms: number): Happening => ({
  type: 'run',
  state: 'done',
  summary: { changes, hosts, aside: [], ms },
});

export const runFailed = (hosts: number, what: string): Happening => ({
  type: 'run',
  state: 'failed',
  error: { code: 'unreachable', what, where: {}, why: [] },
  summary: { changes: 0, hosts, aside: [], ms: 3_400 },
});

export const looked = (host: string): Happening => ({ type: 'host', host, state: 'looked' });

export const phaseStarted = (host: string, phase: string, changes: number): Happening => ({
  type: 'phase',
  host,
  phase,
  state: 'started',
  changes,
});

export const phaseDone = (host: string, phase: string, changes: number, ms = 3_100): Happening => ({
  type: 'phase',
  host,
  phase,
  state: 'done',
  changes,
  ms,
});

export const changed = (host: string, phase: string, id: string): Happening => ({
  type: 'change',
  host,
  phase,
  state: 'done',
  change: { kind: 'file', id, action: 'create' },
});

export const phaseFailed = (host: string, phase: string, what: string): Happening => ({
  type: 'phase',
  host,
  phase,
  state: 'failed',
  error: { code: 'refused', what, where: { host, phase }, why: [] },
});

export const hostFailed = (host: string, what: string): Happening => ({
  type: 'host',
  host,
  state: 'failed',
  error: { code: 'unreachable', what, where: { host }, why: [] },
});
