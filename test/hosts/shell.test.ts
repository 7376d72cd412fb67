import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quote, raw, receive, sh } from '../../src/hosts/shell.js';

const run = (script: string, input: string | Buffer = ''): string =>
  execFileSync('sh', ['-euc', script], { input }).toString();

/** A shell word can hold anything but NUL. */
const word = fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => !text.includes('\0'));

test('quoted words reach a command as they were', () => {
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), (words) => {
      expect(run(`printf '<%s>' ${words.map(quote).join(' ')}`)).toBe(words.map((each) => `<${each}>`).join(''));
    }),
    { numRuns: 30 },
  );
});

test('several words stay several words, whatever they hold', () => {
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), (words) => {
      expect(run(sh`printf '<%s>' ${words}`)).toBe(words.map((each) => `<${each}>`).join(''));
    }),
    { numRuns: 30 },
  );
});

test.each([
  ['safe words are left alone', sh`cp ${'/etc/a.conf'} ${1}`, 'cp /etc/a.conf 1'],
  ['an empty word is still a word', sh`echo ${''}`, "echo ''"],
  ['quotes are closed and opened again', sh`echo ${"it's"}`, "echo 'it'\\''s'"],
  ['raw text is not quoted', sh`a ${raw('| b')}`, 'a | b'],
])('%s', (_, text, expected) => {
  expect(text).toBe(expected);
});

test('a payload is received byte for byte, and what follows it is left for the next', () => {
  const dir = mkdtempSync(join(tmpdir(), 'kbs-shell-'));
  try {
    const path = join(dir, "it's");
    expect(run(`${receive(5, path)}; cat`, 'first second')).toBe(' second');
    expect(readFileSync(path, 'utf8')).toBe('first');
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('half a payload is a failure, and nothing after it runs', () => {
  const dir = mkdtempSync(join(tmpdir(), 'kbs-shell-'));
  try {
    expect(() => run(`${receive(50, join(dir, 'half'))}; : > ${quote(join(dir, 'trace'))}`, 'too little')).toThrow();
    expect(() => readFileSync(join(dir, 'trace'))).toThrow(/ENOENT/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
