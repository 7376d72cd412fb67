import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mutation, query } from '../../src/hosts/host.js';
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
  ['raw text is not quoted', sh`a ${raw(sh`| b`)}`, 'a | b'],
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

test('only the template makes a script', () => {
  const value = 'x; id';
  // @ts-expect-error a plain template with a value
  expect(query(`rm ${value}`).script).toBe('rm x; id');
  // @ts-expect-error a plain text
  expect(mutation('reboot').script).toBe('reboot');
  // @ts-expect-error texts that were joined
  expect(query(['echo', value].join(' ')).script).toBe('echo x; id');
  // @ts-expect-error a value passed off as a script
  expect(query(sh`rm ${raw(value)}`).script).toBe('rm x; id');
  // @ts-expect-error a part of a script
  expect(query(sh`rm ${value}`.slice(0, -1)).script).toBe("rm 'x; id");
  expect(query(sh`rm ${value}`).script).toBe("rm 'x; id'");
});

test('a script in another one is either embedded or a word', () => {
  const script = sh`echo one`;
  expect(sh`{ ${raw(script)}; }`).toBe('{ echo one; }');
  expect(sh`sh -c ${String(script)}`).toBe("sh -c 'echo one'");
  // @ts-expect-error which of the two is meant must be said
  expect(sh`{ ${script}; }`).toBe("{ 'echo one'; }");
});

test('no other file says that a text is a script', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && file !== join('hosts', 'shell.ts'),
  );
  expect(files.length).toBeGreaterThan(100);
  expect(files.filter((file) => /\bas (unknown as )?Script\b/.test(readFileSync(join('src', file), 'utf8')))).toEqual(
    [],
  );
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
