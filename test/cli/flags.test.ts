import { expect, test } from 'vitest';
import { runFlags } from '../../src/cli/flags.js';
import { checks } from '../../src/preflight/index.js';

test('--skip-check knows every check there is, and no other', () => {
  expect(runFlags['skip-check'].options).toEqual([...new Set(checks.map(({ name }) => name))]);
});
