import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kbs-generate-'));
  for (const name of ['src', 'node_modules']) symlinkSync(join(root, name), join(folder, name));
  for (const name of ['inventories', 'docs']) cpSync(join(root, name), join(folder, name), { recursive: true });
});

afterAll(() => rmSync(folder, { recursive: true }));

const generate = (...args: readonly string[]): { readonly status: number | null; readonly stdout: string } =>
  spawnSync(process.execPath, ['--import', 'tsx', join(root, 'scripts/generate.ts'), ...args], {
    cwd: folder,
    encoding: 'utf8',
  });

it('a generated file that was changed or removed is named, and written again', () => {
  const reference = join(folder, 'docs/reference/inventory.md');
  const text = readFileSync(reference, 'utf8');
  writeFileSync(reference, `${text}by hand\n`);
  rmSync(join(folder, 'inventories/kbs.schema.json'));
  const { status, stdout } = generate('--check');
  expect(status).toBe(1);
  expect(stdout.split('\n').map((line) => line.split(' ')[0])).toEqual([
    'inventories/kbs.schema.json',
    'docs/reference/inventory.md',
    '',
  ]);
  expect(readFileSync(reference, 'utf8')).toBe(`${text}by hand\n`);

  expect(generate().status).toBe(0);
  expect(readFileSync(reference, 'utf8')).toBe(text);
});
