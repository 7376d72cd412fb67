import { expect, test } from 'vitest';
import type { ClusterHost } from '../../src/inventory/cluster.js';
import { firstAnsweringApiHost } from '../../src/kubernetes/api-host.js';
import { hostOf } from '../support/cluster.js';

const hosts = ['a', 'b', 'c'].map((name) => hostOf({ name, address: '192.0.2.1', segment: 's' }));

/** Each control plane's API server is `ready` or `down`, or the host is `gone` or says nothing: `hangs`. */
const apiHostOf = async (states: Readonly<Record<string, string>>, among: readonly ClusterHost[] = hosts) => {
  const open = ({ name }: ClusterHost) => ({
    query: () => {
      if (states[name] === 'gone') return Promise.reject(new Error(`${name} is gone`));
      if (states[name] === 'hangs') return new Promise<never>(() => undefined);
      return Promise.resolve({ code: states[name] === 'ready' ? 0 : 1, stdout: '', stderr: '' });
    },
  });
  return (await firstAnsweringApiHost(among, open, {}))?.name;
};

test.each([
  ['the first is healthy', { a: 'ready', b: 'gone', c: 'gone' }, 'a'],
  ['the first is gone', { a: 'gone', b: 'ready', c: 'down' }, 'b'],
  ["the first's API server is down", { a: 'down', b: 'gone', c: 'ready' }, 'c'],
  ['the first hangs', { a: 'hangs', b: 'ready', c: 'hangs' }, 'b'],
  ['no API server answers, and one host can be reached', { a: 'gone', b: 'down', c: 'gone' }, 'b'],
  ['no host can be reached, and the first is named', { a: 'gone', b: 'gone', c: 'gone' }, 'a'],
])('where %s', async (_, states, expected) => {
  expect(await apiHostOf(states)).toBe(expected);
});

test('a single control plane is the API host without a query, and there is none without control planes', async () => {
  expect(await apiHostOf({ a: 'hangs' }, hosts.slice(0, 1))).toBe('a');
  expect(await apiHostOf({}, [])).toBeUndefined();
});
