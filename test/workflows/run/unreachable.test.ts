import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/failure.js';
import type { Host } from '../../../src/hosts/host.js';
import type { PhaseRun } from '../../../src/workflows/run/phase-workflow.js';
import { excludeUnreachable } from '../../../src/workflows/run/unreachable.js';
import { clusterOf, hostOf } from '../../support/cluster.js';

const controlPlane = (name: string) =>
  hostOf({ name, address: '192.0.2.1', segment: 'office', roles: ['control-plane'] });
const worker = hostOf({ name: 'w', address: '192.0.2.2', segment: 'office', roles: ['worker'] });
const cluster = clusterOf({ hosts: [...['a', 'b', 'c'].map(controlPlane), worker] });

/** What a run goes on without, where those hosts were not seen and only those API servers answer. */
const goesOn = async (unseen: readonly string[], ready: readonly string[], joining?: readonly string[]) => {
  const host = ({ name }: { readonly name: string }) =>
    ({
      query: () => Promise.resolve({ code: ready.includes(name) ? 0 : 1, stdout: '', stderr: '' }),
    }) as unknown as Host;
  const run = { cluster, pool: { host }, ...(joining ? { joining } : {}) } as unknown as PhaseRun;
  const reasons = new Map(unseen.map((name) => [name, new Failure('unreachable', `${name} is gone`)]));
  const rest = await excludeUnreachable(run, reasons, {});
  return rest && { absent: rest.absent, apiHost: rest.run.cluster.apiHost, joining: rest.run.joining };
};

describe('a run', () => {
  test.each([
    ['as it is where everybody answers', [], ['a', 'b', 'c']],
    ['as it is where a worker does not answer', ['w'], ['a', 'b', 'c']],
    ['nowhere without the first control plane, where nobody speaks for the others', ['a'], []],
    ['nowhere where all control planes are lost', ['a', 'b', 'c'], []],
  ])('goes on %s', async (_, unseen, ready) => {
    expect(await goesOn(unseen, ready)).toBeUndefined();
  });

  test.each([
    ['without the first control plane, by another', ['a'], ['b', 'c'], 'b'],
    ['by the first of those that are ready', ['a'], ['c'], 'c'],
    ['without another control plane, as before', ['c'], ['a', 'b'], undefined],
    ['without two of them, where etcd has its majority all the same', ['a', 'b'], ['c'], 'c'],
  ])('goes on %s', async (_, unseen, ready, apiHost) => {
    expect(await goesOn(unseen, ready)).toEqual({ absent: unseen, apiHost, joining: undefined });
  });

  test('joins the others where one of those that join does not answer', async () => {
    expect(await goesOn(['w'], ['a'], ['w', 'x'])).toEqual({ absent: ['w'], apiHost: undefined, joining: ['x'] });
    expect(await goesOn(['w', 'a'], ['b'], ['w', 'x'])).toEqual({ absent: ['w', 'a'], apiHost: 'b', joining: ['x'] });
  });

  test('goes nowhere for those that join either, where the first control plane is lost and nobody speaks for it', async () => {
    expect(await goesOn(['w', 'a'], [], ['w', 'x'])).toBeUndefined();
  });
});
