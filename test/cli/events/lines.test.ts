import { expect, it } from 'vitest';
import { lineOf, lines } from '../../../src/cli/events/lines.js';
import type { EventData } from '../../../src/engine/event.js';
import {
  changed,
  eventsOf,
  hostFailed,
  observed,
  phaseDone,
  phaseFailed,
  phaseStarted,
  runDone,
  started,
  unreachable,
} from './events.js';

const run: readonly EventData[] = [
  started(['controller-00', 'worker-00', 'worker-01']),
  observed('controller-00'),
  phaseDone('controller-00', 'system', 0),
  phaseStarted('controller-00', 'images', 4),
  changed('controller-00', 'images', '/etc/x'),
  phaseDone('controller-00', 'images', 4),
  { type: 'phase', host: 'worker-00', phase: 'images', state: 'waiting', on: 'controller-00 images' },
  { type: 'gate', host: 'worker-00', phase: 'images', gate: 'the API answers', state: 'started' },
  { type: 'gate', host: 'worker-00', phase: 'images', gate: 'the API answers', state: 'done', ms: 4_200 },
  phaseFailed('worker-00', 'images', 'no space left'),
  hostFailed('worker-01', 'no answer from 10.0.0.3:22'),
  runDone(3, 4, 71_000),
];

function said(verbose: boolean, data = run): readonly string[] {
  const written: string[] = [];
  const sink = lines({ verbose, write: (line) => written.push(line) });
  for (const event of eventsOf(data)) sink(event);
  return written;
}

it('says one line for each event that means something, with the time since the beginning', () => {
  expect(said(false)).toEqual([
    '0.0s init hybrid: 3 hosts',
    '5.0s controller-00 images: 4 changes done in 3.1s',
    '6.0s worker-00 images: waits for controller-00 images',
    '7.0s worker-00 images: waits until the API answers',
    '8.0s worker-00 images: the API answers, after 4.2s',
    '9.0s worker-00 images: failed: no space left',
    '10.0s worker-01: skipped: no answer from 10.0.0.3:22',
    '11.0s 4 changes on 3 hosts in 1m11s',
  ]);
});

it('says every event where more is asked for', () => {
  expect(said(true)).toHaveLength(run.length);
  expect(said(true)).toContain('4.0s controller-00 images: create file /etc/x');
});

it('of a change that kbs cannot tell, it says that it was applied', () => {
  const change = { kind: 'object', id: 'coredns', action: 'unknown' } as const;
  const event = { at: 0, type: 'change', host: 'c', phase: 'dns', state: 'done', change } as const;
  expect(lineOf(event, true)).toBe('c dns: apply object coredns');
});

it('a host that fails has why and what next below its line, the same problem of another host only its line', () => {
  const failing = ['worker-00', 'worker-01'].map(
    (host): EventData => ({ type: 'host', host, state: 'failed', error: unreachable(host).problem }),
  );
  const skipped = ['worker-00', 'worker-01'].map(unreachable);
  expect(said(false, [...failing, runDone(3, 4, 71_000, skipped)])).toEqual([
    '0.0s worker-00: skipped: cannot connect to worker-00',
    '  | timed out',
    '  → see that worker-00 is up',
    '1.0s worker-01: skipped: cannot connect to worker-01',
    '2.0s 4 changes on 3 hosts in 1m11s, 2 hosts skipped',
  ]);
});
