import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { importText } from '../../../src/cli/text/import-text.js';
import { type ImportRequest, importFile } from '../../../src/workflows/import-inventory.js';

/** Files of other tools, and what they come to: read the difference after `npx vitest run -u test/inventory/import`. */
const samples = relative(process.cwd(), fileURLToPath(new URL('samples/', import.meta.url)));

const imported = (file: string, request: Partial<ImportRequest> = {}) =>
  importFile({ file: join(samples, file), segments: [], output: 'kbs.yaml', ...request });

it.each([
  ['prod/hosts.ini', 'kubespray-ini', {}],
  ['bare/hosts.yaml', 'kubespray-yaml', {}],
  ['k0sctl.yaml', 'k0sctl', {}],
  ['k0sctl.yaml', 'k0sctl-one-segment', { segments: ['192.168.40.0/22'], name: 'other' }],
  ['rke.yml', 'rke', {}],
])('%s becomes %s', async (file, name, request) => {
  const result = await imported(file, request);
  const golden = (suffix: string) => `../../goldens/import/${name}${suffix}`;
  await expect(result.text).toMatchFileSnapshot(golden('.yaml'));
  await expect(importText(result, 'kbs.yaml')).toMatchFileSnapshot(golden('.txt'));
});

it('no secret of a file is in its inventory or in what is said', async () => {
  for (const file of ['prod/hosts.ini', 'k0sctl.yaml', 'rke.yml']) {
    const result = await imported(file);
    expect(`${result.text}${importText(result, undefined)}`).not.toMatch(/se#cret|hidden|3031323334/);
  }
});

it('an inventory without comments is the same: a comment never swallows a value', async () => {
  const { text } = await imported('prod/hosts.ini');
  const bare = text.replaceAll(/^\s*#.*\n/gm, '');
  expect(parse(bare)).toEqual(parse(text));
});
