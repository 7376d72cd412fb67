import { expect, it, test } from 'vitest';
import { didYouMean, unknownName } from '../../src/inventory/did-you-mean.js';

test.each([
  ['controler-00', 'controller-00'],
  ['Worker-00', 'worker-00'],
  ['wroker-00', 'worker-00'],
  ['edge', undefined],
  ['00', undefined],
])('%s is taken for %s', (word, meant) => {
  expect(didYouMean(word, ['controller-00', 'worker-00'])).toBe(meant);
});

it('an unknown name is answered with a close one and all known names', () => {
  const known = ['controller-00', 'worker-00'];
  expect(unknownName('the inventory has no host', ['worker-0', 'edge'], known, 'or add it')).toMatchObject({
    code: 'usage',
    message: 'the inventory has no host worker-0, edge',
    next: 'did you mean worker-00? it has controller-00, worker-00; or add it',
  });
});

it('of many known names only twelve are listed', () => {
  const known = Array.from({ length: 20 }, (_, n) => `host-with-a-long-name-${n}`);
  expect(unknownName('the inventory has no host', ['x'], known).next).toMatch(/-11 and 8 more$/);
});
