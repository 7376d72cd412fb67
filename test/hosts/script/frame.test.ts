import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bootstrapCommand, frame, parseHeader } from '../../../src/hosts/script/frame.js';
import { sh } from '../../../src/hosts/shell.js';

test('a script that arrives only in part does nothing at all, wherever it was cut', () => {
  const dir = mkdtempSync(join(tmpdir(), 'kbs-envelope-'));
  try {
    const whole = frame(sh`: > ${join(dir, 'a')}\n: > ${join(dir, 'ab')}\nif true; then : > ${join(dir, 'c')}; fi`);
    const needed = whole.length - 1; // All but the last newline.
    for (let size = 0; size < needed; size += 3) {
      spawnSync('sh', ['-c', bootstrapCommand(whole.length)], { input: whole.subarray(0, size) });
      expect(readdirSync(dir), `after ${size} of ${whole.length} bytes`).toEqual([]);
    }
    spawnSync('sh', ['-c', bootstrapCommand(whole.length)], { input: whole });
    expect(readdirSync(dir)).toEqual(['a', 'ab', 'c']);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test.each([
  ['at once', '\u0001kbs 42\nhello', { pid: 42, end: 8 }],
  ['after what a login shell said', 'Welcome!\nno newline\u0001kbs 7\n', { pid: 7, end: 26 }],
  ['not before its line is whole', '\u0001kbs 4', undefined],
  ['not where there is none', 'kbs 42\n', undefined],
])('the beginning of the output is found %s', (_, stdout, found) => {
  expect(parseHeader(Buffer.from(stdout))).toEqual(found);
});
