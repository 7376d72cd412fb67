import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

const pages = [
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((path) => join('docs', path)),
  ...readdirSync(root),
].filter((path) => path.endsWith('.md'));

it.each(pages)('%s names source files that are there', (page) => {
  const text = readFileSync(join(root, page), 'utf8');
  const named = text.match(/\b(?:src|test|scripts|bench|inventories)\/[\w./-]+\.(?:ts|sh|yaml|json)\b/g) ?? [];
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

it('the glossary has at most 25 words, and each has one line', () => {
  const rows = readFileSync(join(root, 'docs/glossary.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1);
  const words = rows.map((row) => row.split(' | ')[0]);
  expect(words.length).toBeLessThanOrEqual(25);
  expect(words).toEqual([...new Set(words)]);
});
