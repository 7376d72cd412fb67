import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { kbsIn } from '../cli/process.js';

it('the commands print what was asked for, and what-if exits with 10 where the cluster would not survive', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const kbs = (...args: readonly string[]) => kbsIn(root, [...args, '-i', 'inventories/ha.yaml']);
  expect(kbs('topology', '-o', 'dot').stdout).toMatch(/^graph "ha" \{\n/);
  expect(kbs('what-if', '--without', 'lb-00').code).toBe(0);
  const fatal = kbs('what-if', '--without', 'segment=office', '--json');
  expect(fatal.code).toBe(10);
  expect(JSON.parse(fatal.stdout)).toMatchObject({ cluster: 'ha', survives: false });
});
