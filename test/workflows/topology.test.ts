import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, test } from 'vitest';
import { formatOf, topology } from '../../src/workflows/topology.js';

test.each([
  [undefined, undefined, 'mermaid'],
  [undefined, 'dot', 'dot'],
  ['README.md', undefined, 'mermaid'],
  ['net.mmd', undefined, 'mermaid'],
  ['net.SVG', undefined, 'svg'],
  ['net.htm', 'html', 'html'],
  ['net.txt', 'dot', 'dot'],
] as const)('into %s with -o %s it draws %s', (path, asked, format) => {
  expect(formatOf(path, asked)).toBe(format);
});

it.each([
  ['foo.png', undefined, 'the extension of foo.png is no known format', '.mmd, .svg'],
  ['drawing', undefined, 'the extension of drawing is no known format', '-o'],
  ['x.html', 'svg', '-o svg contradicts the extension of x.html', 'leave out -o'],
] as const)('nothing is drawn into %s with -o %s', (path, asked, what, next) => {
  expect(() => formatOf(path, asked)).toThrow(
    expect.objectContaining({
      code: 'usage',
      message: expect.stringContaining(what),
      next: expect.stringContaining(next),
    }),
  );
});

test('a Markdown file gets Mermaid in the fence that it is drawn by', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kbs-topology-'));
  const file = join(folder, 'network.md');
  try {
    const { text } = await topology('inventories/single.yaml', 'mermaid', file);
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(text).toMatch(/^```mermaid\n[^`]+\n```\n$/);
    expect((await topology('inventories/single.yaml', 'mermaid')).text).not.toContain('```');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
