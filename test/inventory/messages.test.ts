import { expect, it, test } from 'vitest';
import { didYouMean } from '../../src/inventory/did-you-mean.js';
import { resolveVersion } from '../../src/inventory/version.js';

const roles = ['control-plane', 'worker', 'load-balancer', 'dns', 'router'];

test.each([
  ['wroker', 'worker'],
  ['Worker', 'worker'],
  ['controlplane', 'control-plane'],
  ['loadbalancr', 'load-balancer'],
  ['dsn', 'dns'],
  ['rooter', 'router'],
  ['routers', 'router'],
])('%s was probably meant to be %s', (word, meant) => expect(didYouMean(word, roles)).toBe(meant));

test.each(['', 'x', 'ntp', 'etcd', 'master', 'wo'])('%j may be anything', (word) =>
  expect(didYouMean(word, roles)).toBeUndefined(),
);

it('the closest of several is meant', () => expect(didYouMean('poort', ['pool', 'port', 'pods'])).toBe('port'));

test.each([
  ['1.36.2', '1.36.2'],
  ['1.36', '1.36.10'],
  ['1.3', undefined],
  ['1.36.1', undefined],
  ['1.37', undefined],
])('version %s means %s', (wanted, meant) =>
  expect(resolveVersion(wanted, ['1.35.4', '1.36.10', '1.36.2', '1.3x.1'])).toBe(meant),
);
