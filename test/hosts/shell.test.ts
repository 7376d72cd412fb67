import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hereDocument, joined, lines, quote, raw, receive, type Script, sh, untilTrue } from '../../src/hosts/shell.js';

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

test('a script is embedded on purpose or not at all, and a value is never one', () => {
  const script = sh`echo one`;
  expect(sh`{ ${raw(script)}; }`).toBe('{ echo one; }');
  // @ts-expect-error without raw it would be one quoted word
  expect(sh`{ ${script}; }`).toBe("{ 'echo one'; }");
  const value = 'two';
  // @ts-expect-error a plain template is no script
  const plain: Script = `echo ${value}`;
  expect(plain).toBe('echo two');
  expect(sh`sh -c ${String(script)}`).toBe("sh -c 'echo one'");
});

test('scripts are joined as lines, or with an operator', () => {
  expect(run(lines(sh`echo one`, sh`echo two`))).toBe('one\ntwo\n');
  expect(run(joined([sh`false`, sh`echo two`], ' || '))).toBe('two\n');
});

test('a here-document reaches a command as it is', () => {
  const text = "it's $HOME `id`\n\\ and more";
  expect(run(sh`cat ${raw(hereDocument(text, 'END'))}`)).toBe(`${text}\n`);
  expect(() => hereDocument('one\nEND\nrm -rf /', 'END')).toThrow('cannot end with END');
  expect(() => hereDocument('one', "END'; id")).toThrow('cannot end with');
});

test('a test is repeated until it succeeds, and keeps what it found', () => {
  const count = sh`count() { tries=$(( tries + 1 )); [ $tries = 3 ]; }`;
  const wait = untilTrue(sh`count`, { seconds: 60, otherwise: sh`exit 1`, pause: 0 });
  expect(run(lines(sh`tries=0`, count, wait, sh`echo $tries`))).toBe('3\n');
});

test('a test that never succeeds ends once its time is over', () => {
  const wait = (otherwise: Script) => untilTrue(sh`false`, { seconds: 0, otherwise, pause: 0 });
  expect(run(lines(wait(sh`break`), sh`echo on`))).toBe('on\n');
  expect(() => run(wait(sh`echo 'not ready' >&2; exit 1`))).toThrow('not ready');
});
