import { expect, test } from 'vitest';
import { lifetime, runFlags } from '../../src/cli/flags.js';
import { checkNames } from '../../src/preflight/check-names.js';
import { checks } from '../../src/preflight/index.js';

test('the list of checks that --skip-check takes is that of preflight', () => {
  expect(checkNames).toEqual([...new Set(checks.map(({ name }) => name))]);
});

test('--skip-check takes the name of a check, and proposes one for a slip', async () => {
  const skipped = (name: string) => runFlags['skip-check'].parse(name, {} as never, {} as never);
  expect(await skipped('firewall')).toBe('firewall');
  await expect(skipped('firewal')).rejects.toMatchObject({ next: expect.stringMatching(/^did you mean firewall\? /) });
});

test.each([
  ['10m', 600],
  ['12h', 43_200],
  ['30d', 2_592_000],
  ['366d', 31_622_400],
])('a lifetime of %s is %i seconds', async (text, seconds) => {
  expect(await parsed(text)).toBe(seconds);
});

test.each(['', '30', '30s', '9m', '367d', '-1d', '1.5d', '1d2h', 'soon'])('%j is no lifetime', async (text) => {
  await expect(parsed(text)).rejects.toThrow(`${text} is no lifetime`);
});

const parsed = (text: string) => lifetime().parse(text, {} as never, {} as never);
