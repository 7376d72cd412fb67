import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compiled } from './compiled.js';
import { kbsIn } from './process.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kbs-new-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Types each answer on a real terminal once the next question stands there. */
const typed = (answers: readonly string[]): Promise<{ readonly shown: string; readonly code: number | null }> =>
  new Promise((resolve, reject) => {
    const words = [process.execPath, join(compiled, 'bin/run.js'), 'inventory', 'init', '--hosts', '10.0.0.1'];
    const child = spawn('script', ['-qec', words.map((word) => `'${word}'`).join(' '), '/dev/null'], {
      cwd: folder,
      env: { ...process.env, NODE_ENV: 'production', TERM: 'dumb' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const left = [...answers];
    let shown = '';
    let asked = 0;
    child.stdout.on('data', (chunk) => {
      shown += String(chunk);
      const questions = shown.split(']: ').length - 1;
      for (; asked < questions; asked++) child.stdin.write(left.shift() ?? '');
    });
    child.on('error', reject).on('close', (code) => resolve({ shown, code }));
  });

test('on a terminal the questions without a flag are asked, and Enter is the default', async () => {
  const { shown, code } = await typed(['ops\r', '\r', 'nowhere\r', '\r', '\r']);
  expect(code).toBe(0);
  expect(shown).toContain('[10.0.0.0/24]: ');
  expect(shown).toContain('nowhere is not an IPv4 address');
  expect(readFileSync(join(folder, 'kbs.yaml'), 'utf8')).toContain('ssh: { user: ops }');
  expect(kbsIn(folder, ['inventory', 'validate']).code).toBe(0);
});

test.each([
  ['Ctrl-C', '\x03'],
  ['the end of input', '\x04'],
])('%s at a question leaves nothing', async (_, key) => {
  const { code } = await typed(['ops\r', key]);
  expect(code).toBe(130);
  expect(existsSync(join(folder, 'kbs.yaml'))).toBe(false);
});

test('without a terminal nothing is asked: what no flag says needs --yes, and a file that exists stays', () => {
  const init = (...args: readonly string[]) => kbsIn(folder, ['inventory', 'init', ...args]);
  expect(init('--user', 'ops')).toMatchObject({ code: 2, stderr: expect.stringContaining('give --yes') });
  expect(existsSync(join(folder, 'kbs.yaml'))).toBe(false);
  expect(init('--hosts', '10.0.0.1', '--yes').code).toBe(0);
  expect(init('--hosts', '10.0.0.1', '--yes')).toMatchObject({ code: 2, stderr: expect.stringContaining('exists') });
  expect(kbsIn(folder, ['inventory', 'validate']).code).toBe(0);
});
