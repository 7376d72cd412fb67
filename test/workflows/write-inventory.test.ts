import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { failuresIn } from '../../src/failure.js';
import { writeInventory } from '../../src/workflows/write-inventory.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kbs-write-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const refusal = (path: string): Promise<string | undefined> =>
  writeInventory(path, 'new', false).then(
    () => undefined,
    (error: unknown) =>
      failuresIn(error)
        .map(({ code, message }) => `${code} ${message}`)
        .join(),
  );

test('a file that exists is replaced only where that is asked for, and nothing else is left beside it', async () => {
  const path = join(folder, 'kbs.yaml');
  await writeInventory(path, 'old', false);
  expect(await refusal(path)).toBe(`usage ${path} exists already`);
  expect(readFileSync(path, 'utf8')).toBe('old');
  await writeInventory(path, 'new', true);
  expect(readFileSync(path, 'utf8')).toBe('new');
  expect(readdirSync(folder)).toEqual(['kbs.yaml']);
});

test('a folder that is not there is wrong usage', async () => {
  const path = join(folder, 'none', 'kbs.yaml');
  expect(await refusal(path)).toBe(`usage ${path} cannot be written`);
});
