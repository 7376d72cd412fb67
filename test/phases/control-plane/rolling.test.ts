import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, test } from 'vitest';
import { controlPlaneRolling } from '../../../src/phases/control-plane/rolling.js';
import { clusterOf, hostOf } from '../../support/cluster.js';
import { contextOf } from '../../support/site.js';

const folder = await mkdtemp(join(tmpdir(), 'kbs-turns-'));
afterAll(() => rm(folder, { recursive: true }));

const gatesOf = (count: number) => {
  const hosts = Array.from({ length: count }, (_, n) =>
    hostOf({ name: `cp-${n}`, address: `192.0.2.1${n}`, roles: ['control-plane'], segment: 'office' }),
  );
  const [host] = hosts;
  if (!host) throw new Error('no host');
  return controlPlaneRolling(host, contextOf(clusterOf({ hosts })))?.preconditions ?? [];
};

describe('the preconditions of a control plane', () => {
  test.each([
    [1, []],
    [2, ['another API server answers']],
    [3, ['etcd keeps its quorum without it', 'another API server answers']],
    [5, ['etcd keeps its quorum without it', 'another API server answers']],
  ])('of %d', (count, names) => {
    expect(gatesOf(count).map(({ name }) => name)).toEqual(names);
  });

  it('are none for a worker', () => {
    const worker = hostOf({ name: 'w', address: '192.0.2.20', segment: 'office' });
    expect(controlPlaneRolling(worker, contextOf(clusterOf({ hosts: [worker] })))).toBeUndefined();
  });
});

/** What etcdctl 3.7.3 prints. */
const well = (n: number): string =>
  `https://192.0.2.1${n}:2379 is healthy: successfully committed proposal: took = 2ms`;
const full = (n: number): string =>
  `https://192.0.2.1${n}:2379 is unhealthy: failed to commit proposal: Active Alarm(s): NOSPACE `;
const gone = (n: number): string =>
  `https://192.0.2.1${n}:2379 is unhealthy: failed to commit proposal: context deadline exceeded`;

test.each([
  ['both others are well', [well(1), well(2)], true],
  ['both others name an alarm', [full(1), full(2)], true],
  ['one of them is gone', [well(1), gone(2)], false],
  ['one is gone and one names an alarm', [full(1), gone(2)], false],
  ['etcdctl says nothing', [], false],
])('whether etcd keeps its quorum without one of three: %s', async (_, lines, open) => {
  const said = join(folder, 'said');
  await writeFile(said, lines.map((line) => `${line}\n`).join(''));
  const [gate] = gatesOf(3);
  const test = gate?.test.replace(/\/usr\/local\/bin\/etcdctl .* endpoint health/, `cat ${said}`) ?? '';
  expect(test).toContain(said);
  expect(spawnSync('bash', ['--norc', '-ec', test]).status === 0).toBe(open);
});
