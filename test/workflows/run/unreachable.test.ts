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

/** The hosts that a run skips, where `unreachable` do not answer and only the API servers of `ready` do. */
const skippedIn = async (unreachable: readonly string[], ready: readonly string[], joining?: readonly string[]) => {
  const host = ({ name }: { readonly name: string }) =>
    ({
      query: () => Promise.resolve({ code: ready.includes(name) ? 0 : 1, stdout: '', stderr: '' }),
    }) as unknown as Host;
  const run = { cluster, pool: { host }, ...(joining ? { joining } : {}) } as unknown as PhaseRun;
  const reasons = new Map(unreachable.map((name) => [name, new Failure('unreachable', `${name} is gone`)]));
  const rest = await excludeUnreachable(run, reasons, {});
  return rest && { absent: rest.absent, apiHost: rest.run.cluster.apiHost, joining: rest.run.joining };
};

describe('a run', () => {
  test.each([
    ['every host answers', [], ['a', 'b', 'c']],
    ['a worker does not answer', ['w'], ['a', 'b', 'c']],
    ['the first control plane does not answer, and no API server of the others does', ['a'], []],
    ['no control plane answers', ['a', 'b', 'c'], []],
  ])('skips no host where %s', async (_, unreachable, ready) => {
    expect(await skippedIn(unreachable, ready)).toBeUndefined();
  });

  test.each([
    ['the first control plane, with another API host', ['a'], ['b', 'c'], 'b'],
    ['the first control plane, with the first API host that is ready', ['a'], ['c'], 'c'],
    ['another control plane, with the same API host', ['c'], ['a', 'b'], undefined],
    ['two control planes, where etcd still has its quorum', ['a', 'b'], ['c'], 'c'],
  ])('skips %s', async (_, unreachable, ready, apiHost) => {
    expect(await skippedIn(unreachable, ready)).toEqual({ absent: unreachable, apiHost, joining: undefined });
  });

  test('skips a joining host that does not answer, and joins the others', async () => {
    expect(await skippedIn(['w'], ['a'], ['w', 'x'])).toEqual({ absent: ['w'], apiHost: undefined, joining: ['x'] });
    expect(await skippedIn(['w', 'a'], ['b'], ['w', 'x'])).toEqual({
      absent: ['w', 'a'],
      apiHost: 'b',
      joining: ['x'],
    });
  });

  test('skips no joining host where the first control plane is lost and no other API server answers', async () => {
    expect(await skippedIn(['w', 'a'], [], ['w', 'x'])).toBeUndefined();
  });
});
