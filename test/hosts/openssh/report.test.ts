import { spawnSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readReport, reporting } from '../../../src/hosts/openssh/report.js';

const mark = 'kbs-0123456789abcdef';

test.each([
  ['nothing at all', '', 0, '', ''],
  ['only what a login shell says', 'not available\n', 0, 'not available\n', 'not available\n'],
  ['a command that says nothing', `${mark}\n`, 1, '', ''],
  ['a greeting and a command', `hello\n${mark}\nerror\n`, 1, 'hello\nerror\n', 'hello\n'],
  ['a command that ends with 255', `${mark}\nhalf a line${mark}\n`, 2, 'half a line', ''],
  ['half a mark', `${mark}\n${mark.slice(0, 9)}`, 1, mark.slice(0, 9), ''],
])('of %s the marks are counted and taken out, wherever it was cut', async (_, stderr, marks, rest, before) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(stderr.length)), async (cuts) => {
      const ends = [...cuts.sort((a, b) => a - b), stderr.length];
      const chunks = ends.map((end, index) => Buffer.from(stderr.slice(ends[index - 1] ?? 0, end)));
      const report = readReport(Readable.from(chunks), mark);
      expect(await text(report.stderr)).toBe(rest);
      expect([report.marks(), report.before()]).toEqual([marks, before]);
    }),
    { numRuns: 50 },
  );
});

test.each([
  ['exit 0', 0, 1],
  ['exit 3', 3, 1],
  ['exit 255', 255, 2],
  ['kill -KILL $$', 137, 1],
])('a command that does %s ends with %i', (script, status, marks) => {
  const ended = spawnSync('sh', ['-c', reporting(mark, `sh -c '${script}'`)], { encoding: 'utf8' });
  expect(ended.status).toBe(status);
  expect(ended.stderr.split(mark).length - 1).toBe(marks);
});

test('it has nothing in it that login shells read in ways of their own', () => {
  expect(reporting(mark, '').replace(/^sh -c '(.*)' kbs $/, '$1')).not.toMatch(/['\\!\n]/);
});
