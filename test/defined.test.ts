import { expect, it } from 'vitest';
import { defined } from '../src/defined.js';

it('only undefined values are left out', () => {
  const values = { a: 0, b: '', c: false, d: null, e: undefined };
  expect(Object.entries(defined(values))).toEqual([
    ['a', 0],
    ['b', ''],
    ['c', false],
    ['d', null],
  ]);
  expect(Object.keys(values)).toContain('e');
});
