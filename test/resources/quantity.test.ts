import fc from 'fast-check';
import { expect, it } from 'vitest';
import { escapePath } from '../../src/resources/original.js';
import { sameQuantity } from '../../src/resources/quantity.js';

it.each([
  ['0.5', '500m'],
  [1, '1000m'],
  ['1024Mi', '1Gi'],
  ['1.5Gi', '1536Mi'],
  ['1e3', '1k'],
  ['1E3', '1000'],
  ['-1', '-1000m'],
  ['100n', '0.1u'],
  ['2E', '2000P'],
])('%s is the same quantity as %s', (one, other) => expect(sameQuantity(one, other)).toBe(true));

it.each([
  ['1M', '1Mi'],
  ['1m', '1M'],
  ['1', '1001m'],
  ['1Gi', '1G'],
  ['1', '-1'],
])('%s is another quantity than %s', (one, other) => expect(sameQuantity(one, other)).toBe(false));

it.each(['', 'one', '1 Gi', '1KiB', '.', undefined, true])('%s is no quantity, not even the same as itself', (value) =>
  expect(sameQuantity(value, value)).toBe(false),
);

it('two paths never share a name', () => {
  const paths = fc.stringMatching(/^\/[-a-b/.\\ é]{0,6}[ab]$/).filter((path) => !path.includes('//'));
  fc.assert(fc.property(paths, paths, (one, other) => (escapePath(one) === escapePath(other)) === (one === other)));
  fc.assert(fc.property(paths, (path) => !escapePath(path).includes('/')));
});
