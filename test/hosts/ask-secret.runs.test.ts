import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const module = fileURLToPath(new URL('../../src/hosts/ask-secret.ts', import.meta.url));
const code = `import { askSecret } from '${module}';
  const secret = await askSecret('Passphrase of /a\\u001b[2Jb: ');
  console.log(secret === undefined ? 'no answer' : 'length ' + secret.reveal().length);`;
const program = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', code];

/** Types `keys` on a real terminal once the question stands there; gives all that the terminal showed. */
const typed = (keys: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const words = program.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    const child = spawn('script', ['-qec', words, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
    let shown = '';
    let isAnswered = false;
    child.stdout.on('data', (chunk) => {
      shown += String(chunk);
      if (!isAnswered && shown.includes('b: ')) {
        isAnswered = true;
        child.stdin.write(keys);
      }
    });
    child.on('error', reject).on('close', () => resolve(shown));
  });

test('what is typed is not shown, and what the question holds moves no cursor', async () => {
  const shown = await typed('hunter2\r');
  expect(shown).toContain('Passphrase of /a\\x1b[2Jb: ');
  expect(shown).toContain('length 7');
  expect(shown).not.toContain('hunter2');
});

test.each([
  ['an empty answer', '\r'],
  ['the end of input', '\x04'],
])('%s is none', async (_, keys) => {
  expect(await typed(keys)).toContain('no answer');
});

test('Ctrl-C interrupts', async () => {
  expect(await typed('\x03')).not.toMatch(/length|no answer/);
});

test('without a terminal nothing is asked', () => {
  const [file = '', ...args] = program;
  const { stdout, stderr } = spawnSync(file, args, { input: 'hunter2\n', encoding: 'utf8' });
  expect([stdout, stderr]).toEqual(['no answer\n', '']);
});
