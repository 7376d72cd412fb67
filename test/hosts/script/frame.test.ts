import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { frame, parseHeader, reader } from '../../../src/hosts/script/frame.js';

test('the reader has nothing in it that login shells read in ways of their own', () => {
  expect(reader).not.toMatch(/['\\!\n]/);
});

test('a script has no arguments, whatever the reader has of its own', () => {
  const { stdout } = spawnSync('sh', ['-c', reader], { input: frame('echo "$#"', '0123456789abcdef') });
  expect(stdout.toString()).toMatch(/\n0\n$/);
});

test.each([
  ['at once', '\u0001kbs 42\nhello', { pid: 42, end: 8 }],
  ['after what a login shell said', 'Welcome!\nno newline\u0001kbs 7\n', { pid: 7, end: 26 }],
  ['not before its line is whole', '\u0001kbs 4', undefined],
  ['not where there is none', 'kbs 42\n', undefined],
])('the beginning of the output is found %s', (_, stdout, found) => {
  expect(parseHeader(Buffer.from(stdout))).toEqual(found);
});
