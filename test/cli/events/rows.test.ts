import { expect, it } from 'vitest';
import { trackProgress } from '../../../src/cli/events/progress.js';
import { type Row, rowsOf } from '../../../src/cli/events/rows.js';
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
} from './events.js';

function rowsAfter(...data: readonly EventData[]): readonly Row[] {
  const run = trackProgress();
  for (const event of eventsOf(data)) run.update(event);
  const now = run.now();
  return now ? rowsOf(now) : [];
}

const drawn = (rows: readonly Row[]): readonly string[] => rows.map(({ state, text }) => `${state}: ${text}`.trim());

it('a few hosts have a line each: where they are, and one line once they are done', () => {
  const rows = rowsAfter(
    started(['controller-00', 'a', 'b', 'c', 'd', 'e']),
    phaseDone('controller-00', 'system', 2),
    phaseDone('controller-00', 'images', 0),
    phaseStarted('a', 'system', 3),
    changed('a', 'system', '/etc/x'),
    { type: 'host', host: 'b', state: 'connecting' },
    { type: 'gate', host: 'c', phase: 'images', gate: 'the API answers', state: 'started' },
    phaseFailed('d', 'images', 'no space left\nmore words'),
  );
  expect(drawn(rows)).toEqual([
    'done: controller-00  2 changes in 1.0s',
    'running: a              system (1 of 2): 1 of 3 changes',
    'running: b              connecting',
    'running: c              images (1 of 2): waits until the API answers',
    'failed: d              images: no space left',
    'waiting: e',
  ]);
});

const fleet = Array.from({ length: 500 }, (_, index) => `worker-${index}`);

it('a large fleet is drawn by phases with counts, whatever its size', () => {
  const rows = rowsAfter(
    started(fleet),
    ...fleet.map(observed),
    ...fleet.slice(0, 300).map((host) => phaseDone(host, 'system', 1)),
    ...fleet.slice(300, 305).map((host) => phaseFailed(host, 'system', 'no space left')),
    phaseStarted('worker-0', 'images', 4),
  );
  expect(drawn(rows)).toEqual([
    'done: observe  500/500 done',
    'running: system  300/500 done, 5 failed',
    'running: images  0/500 done',
  ]);
  expect(rows[1]?.below).toEqual([
    'worker-300: no space left',
    'worker-301: no space left',
    'worker-302: no space left',
    'and 2 more',
  ]);
});

it('hosts that cannot be reached stay visible, and phases to come do not fill the screen', () => {
  const rows = rowsAfter(started(fleet), hostFailed('worker-7', 'no answer'));
  expect(drawn(rows)).toEqual(['running: observe  0/500 done, 1 failed', 'waiting:', 'waiting:']);
  expect(rows[0]?.below).toEqual(['worker-7: no answer']);
});

it('when the run is done no host is left running', () => {
  const rows = rowsAfter(started(['a', 'b']), observed('a'), runDone(2, 0, 1_000));
  expect(rows.map(({ state }) => state)).toEqual(['done', 'done']);
});

it('the first reason of a host stays', () => {
  const rows = rowsAfter(
    started(['a']),
    phaseFailed('a', 'images', 'no space left'),
    hostFailed('a', 'connection lost'),
  );
  expect(rows[0]?.text).toContain('images: no space left');
});
