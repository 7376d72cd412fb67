/**
 * `npm run generate`: what is written from the sources and committed all the same, for editors and for readers.
 * `--check` writes nothing, names the files that differ, and ends with status 1 where any does.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { inventoryJsonSchema } from '../src/inventory/json-schema.js';
import { checks } from '../src/preflight/index.js';
import { topology } from '../src/workflows/topology.js';
import { commandsReference } from './commands-reference.js';
import { inventoryReference } from './inventory-reference.js';
import { preflightReference } from './preflight-reference.js';

const schema = inventoryJsonSchema();
const ha = await topology('inventories/ha.yaml', 'svg');
const example = readFileSync('inventories/two-segments.yaml', 'utf8');
const generated: Readonly<Record<string, string>> = {
  'inventories/kbs.schema.json': `${JSON.stringify(schema, undefined, 2)}\n`,
  'docs/reference/inventory.md': inventoryReference(schema, example),
  'docs/images/ha.svg': ha.text,
  'docs/reference/preflight.md': preflightReference(checks),
  'docs/reference/commands.md': await commandsReference('src/commands'),
};

const stale = Object.keys(generated).filter((path) => generated[path] !== current(path));
if (process.argv.includes('--check')) {
  for (const path of stale) console.log(`${path} is not what the sources say; write it with: npm run generate`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const path of stale) write(path, generated[path] ?? '');
}

function current(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  console.log(path);
}
