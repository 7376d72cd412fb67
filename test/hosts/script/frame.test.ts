import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frame, parseHeader, reader, swallowed } from '../../../src/hosts/script/frame.js';
import { sh } from '../../../src/hosts/shell.js';

const script = (dir: string) =>
  frame(sh`: > ${join(dir, 'a')}\n: > ${join(dir, 'ab')}\nif true; then : > ${join(dir, 'c')}; fi`, 'only-this');

test('a script that arrives only in part does nothing at all, wherever it was cut', () => {
  const dir = mkdtempSync(join(tmpdir(), 'kbs-envelope-'));
  try {
    const whole = script(dir);
    const needed = whole.length - 1; // All but the last newline.
    for (let size = 0; size < needed; size++) {
      spawnSync('sh', ['-c', reader], { input: whole.subarray(0, size) });
      expect(readdirSync(dir), `after ${size} of ${whole.length} bytes`).toEqual([]);
    }
    spawnSync('sh', ['-c', reader], { input: whole });
    expect(readdirSync(dir)).toEqual(['a', 'ab', 'c']);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a script whose beginning was read by another program does nothing at all, wherever that stopped', () => {
  const dir = mkdtempSync(join(tmpdir(), 'kbs-envelope-'));
  try {
    const whole = script(dir);
    const payload = Buffer.from(`\n: > ${join(dir, 'payload')}\n`.repeat(20));
    for (let size = 1; size < whole.length; size++) {
      const input = Buffer.concat([whole.subarray(size), payload]);
      const { status, stdout, stderr } = spawnSync('sh', ['-c', reader], { input });
      expect([status, stdout.toString(), stderr.toString()]).toEqual([1, '', `${swallowed}\n`]);
      expect(readdirSync(dir), `without its first ${size} bytes`).toEqual([]);
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
});

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
