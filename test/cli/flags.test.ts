import { expect, test } from 'vitest';
import { runFlags } from '../../src/cli/flags.js';
import { hostCheckNames } from '../../src/preflight/host-checks.js';

test('--skip-check knows every check there is, and no other', () => {
  expect(runFlags['skip-check'].options?.toSorted()).toEqual([...hostCheckNames(), 'authority'].toSorted());
});
