import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frame, reader, swallowed } from '../../../src/hosts/script/frame.js';
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
