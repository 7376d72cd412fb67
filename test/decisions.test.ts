import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const folder = fileURLToPath(new URL('../docs/decisions/', import.meta.url));
const records = readdirSync(folder).filter((name) => name !== 'README.md');
const index = readFileSync(`${folder}/README.md`, 'utf8');

it.each(records)('%s has a number of its own, and a line in the index', (name) => {
  const number = name.slice(0, 4);
  expect(name).toMatch(/^\d{4}-[a-z0-9-]+\.md$/);
  expect(records.filter((other) => other.startsWith(number))).toEqual([name]);
  expect(readFileSync(`${folder}/${name}`, 'utf8')).toMatch(new RegExp(`^# ${Number(number)}\\. `));
  expect(index).toContain(`[${number}](${name})`);
});
