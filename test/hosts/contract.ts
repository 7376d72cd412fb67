import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '../../src/failure.js';
import { type Host, mutation, query } from '../../src/hosts/host.js';
import { raw, sh } from '../../src/hosts/shell.js';
import { asScript } from '../support/script.js';

/** A transport under test; the host must be this very machine, so that the suite can see what happened there. */
export interface Subject {
  readonly host: Host;
  /** Cuts the connection, where there is one to cut. */
  readonly cut?: () => void;
  close(): Promise<void>;
}

/** What every transport promises, whatever carries it. */
export function hostContract(transport: string, open: () => Promise<Subject>): void {
  describe(`a host over ${transport}`, { timeout: 60_000 }, () => {
    let subject: Subject;
    let host: Host;
    let dir: string;
    beforeAll(async () => {
      subject = await open();
      host = subject.host;
    });
    afterAll(() => subject.close());
    beforeEach(() => {
      dir = mkdtempSync(join(tmpdir(), 'kbs-host-'));
    });
    afterEach(() => rmSync(dir, { recursive: true, force: true }));

    describe('answers', () => {
      test.each([
        ['success', 'true', 0],
        ['an exit status', 'exit 3', 3],
        ['the greatest exit status', 'exit 255', 255],
        ['a command that fails half way, and nothing after it', 'echo before; false; echo after', 1],
        ['an unset variable', 'echo "$no_such_variable"', 2],
        ['a signal as 128 and its number', 'kill -KILL $$', 137],
        ['a script with a syntax error', 'if true; then', 2],
        ['an empty script', '', 0],
        ['only a comment', '# nothing', 0],
      ])('%s', async (_, script, code) => {
        expect((await host.query(query(asScript(script)))).code).toBe(code);
      });

      test('stdout and stderr come back apart, as they were written', async () => {
        expect(await host.query(query(sh`printf 'out\\n\\n'; printf err >&2`))).toEqual({
          code: 0,
          stdout: 'out\n\n',
          stderr: 'err',
        });
      });

      test('text beyond ASCII comes back whole', async () => {
        const text = 'Grüße, 世界, 🚀, é';
        expect(await host.query(query(sh`printf %s ${text}; printf %s ${text} >&2`))).toEqual({
          code: 0,
          stdout: text,
          stderr: text,
        });
      });

      test('a large stdout comes back whole', async () => {
        const { stdout } = await host.query(query(sh`seq 1 1000000`));
        expect(sha(stdout)).toBe(sha(Array.from({ length: 1_000_000 }, (_, index) => `${index + 1}\n`).join('')));
      });

      test('of a large stderr the last 64 KiB come back', async () => {
        const { stderr, code } = await host.query(query(sh`seq 1 100000 >&2; printf "the end é" >&2; exit 4`));
        expect(code).toBe(4);
        expect(stderr.endsWith('99999\n100000\nthe end é')).toBe(true);
        expect(Buffer.byteLength(stderr)).toBe(64 * 1024);
      });

      test('a cut through a character leaves no broken text', async () => {
        const { stderr } = await host.query(query(sh`printf 'x' >&2; yes 世 | head -n 30000 | tr -d '\\n' >&2`));
        expect(stderr).toMatch(/^世+$/u);
      });

      test('lines are handed over while the command runs', async () => {
        const flag = join(dir, 'flag');
        const lines: string[] = [];
        const { stdout } = await host.query(query(sh`echo é one; ${waitFor(flag)}; printf 'two\\nlast'`), {
          onLine(line) {
            lines.push(line);
            writeFileSync(flag, '');
          },
        });
        expect(lines).toEqual(['é one', 'two', 'last']);
        expect(stdout).toBe('é one\ntwo\nlast');
      });

      test('commands run at the same time, more of them than one connection allows', async () => {
        const answers = await Promise.all(
          Array.from({ length: 24 }, (_, index) => host.query(query(sh`sleep 0.05; echo ${index}`))),
        );
        expect(answers.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 24 }, (_, index) => `${index}\n`));
      });
    });

    describe('runs scripts', () => {
      test('as root, in the C locale, from the root folder, with a sane path and umask', async () => {
        const { stdout } = await host.query(query(sh`id -u; echo "$LC_ALL $PWD $PATH"; umask`));
        const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
        expect(stdout).toBe(`${process.getuid?.()}\nC / ${path}\n0022\n`);
      });

      test.each([
        ['quotes of every kind', `printf %s "'" '"' '\\' \\' "\\"\\$\\\`"`, `'"\\'"$\``],
        [
          'dollars, backticks and bangs',
          'x=1; printf %s "$x$(printf 2)`printf 3`!" \'$x`no`$(no)!\'',
          '123!$x`no`$(no)!',
        ],
        ['a here document', "cat <<'END'\n$not 'here' `or` \\there\nEND", "$not 'here' `or` \\there\n"],
        ['a here document that ends without a newline', 'cat <<END\n$((6 * 7))\nEND', '42\n'],
        ['trailing newlines and comments', "printf 'a'\n\n # end\n\n", 'a'],
        ['a trailing backslash', "printf 'a' \\", 'a'],
        ['its own braces and functions', 'f() { { printf "{%s}" "$1"; }; }\nf }', '{}}'],
        ['tabs, returns and percent signs', "printf %s '\t\r%s%%'", '\t\r%s%%'],
        ['globs that match everything', 'printf %s "*" \'?\' "~" [!.]', '*?~[!.]'],
        ['words of many lines', "printf %s 'a\nb\n\nc'", 'a\nb\n\nc'],
        ['the text of its own marker', "printf '\\001kbs 1\\n'", '\u0001kbs 1\n'],
      ])('with %s', async (_, script, stdout) => {
        expect(await host.query(query(asScript(script)))).toEqual({ code: 0, stdout, stderr: '' });
      });

      test('of two megabytes', async () => {
        const { stdout } = await host.query(query(asScript(`${`: ${'x'.repeat(1000)}\n`.repeat(2000)}echo done`)));
        expect(stdout).toBe('done\n');
      });

      test('whose secrets no other process can see', async () => {
        const secret = `hunter-${randomBytes(8).toString('hex')}`;
        const flag = join(dir, 'flag');
        let seen: readonly string[] = ['never checked'];
        const { stdout } = await host.mutate(
          mutation(sh`secret=${secret}; head -c 7 >/dev/null; echo ready; ${waitFor(flag)}; echo "$secret"`, [
            { bytes: Buffer.from('hunter2') },
          ]),
          {
            onLine() {
              seen = processes().filter((pid) => /hunter/.test(commandAndEnvironment(pid)));
              writeFileSync(flag, '');
            },
          },
        );
        expect(stdout).toBe(`ready\n${secret}\n`);
        expect(seen).toEqual([]);
      });
    });

    describe('takes payloads', () => {
      test('byte for byte', async () => {
        const bytes = randomBytes(1_000_000);
        const target = join(dir, 'target');
        const { code, stdout } = await host.mutate(
          mutation(sh`head -c ${bytes.length} > ${target}; sha256sum < ${target}`, [{ bytes }]),
        );
        expect(code).toBe(0);
        expect(stdout.slice(0, 64)).toBe(sha(bytes));
        expect(readFileSync(target).equals(bytes)).toBe(true);
      });

      test('several, in their order, empty ones and files among them', async () => {
        const file = join(dir, 'file');
        writeFileSync(file, 'three');
        const script = 'head -c 3; echo; head -c 0; head -c 3; echo; head -c 5; echo; cat';
        const { stdout } = await host.mutate(
          mutation(asScript(script), [
            { bytes: Buffer.from('one') },
            { bytes: Buffer.alloc(0) },
            { bytes: Buffer.from('two') },
            { file, size: 5 },
          ]),
        );
        expect(stdout).toBe('one\ntwo\nthree\n');
      });

      test('from a file of 20 MB', async () => {
        const file = join(dir, 'file');
        const bytes = randomBytes(20_000_000);
        writeFileSync(file, bytes);
        const { stdout } = await host.mutate(mutation(sh`sha256sum`, [{ file, size: bytes.length }]));
        expect(stdout.slice(0, 64)).toBe(sha(bytes));
      });

      test('and a script that needs no input finds it empty', async () => {
        expect((await host.query(query(sh`cat; echo end`))).stdout).toBe('end\n');
      });

      test.each([
        ['before it read anything', 'echo no >&2; exit 7'],
        ['after it read a little', 'head -c 100000 >/dev/null; echo no >&2; exit 7'],
        ['after it closed its input', 'exec 0<&-; echo no >&2; exit 7'],
      ])('and a script that ends %s says why, not that a pipe broke', async (_, script) => {
        const bytes = randomBytes(20_000_000);
        expect(await host.mutate(mutation(asScript(script), [{ bytes }, { bytes }]))).toEqual({
          code: 7,
          stdout: '',
          stderr: 'no\n',
        });
      });

      test.each([
        ['is missing', (file: string) => rmSync(file)],
        ['became shorter', (file: string) => truncateSync(file, 10)],
        ['became longer', (file: string) => writeFileSync(file, randomBytes(1001))],
      ])('but not from a file that %s, and then runs nothing', async (_, change) => {
        const file = join(dir, 'file');
        const trace = join(dir, 'trace');
        writeFileSync(file, randomBytes(1000));
        change(file);
        const failure = await failureOf(host.mutate(mutation(sh`: > ${trace}`, [{ file, size: 1000 }])));
        expect(failure).toMatchObject({ code: 'refused', message: expect.stringContaining(file) });
        expect(existsSync(trace)).toBe(false);
      });

      test('but not from a file that became shorter on the way, and the script never goes on with half of it', async () => {
        const file = join(dir, 'file');
        const size = 30_000_000;
        writeFileSync(file, randomBytes(size));
        const flag = join(dir, 'flag');
        const trace = join(dir, 'trace');
        const script = sh`echo ready; ${waitFor(flag)}; head -c ${size} > ${join(dir, 'half')}; : > ${trace}`;
        const failure = await failureOf(
          host.mutate(mutation(asScript(script), [{ file, size }]), {
            onLine() {
              truncateSync(file, 20_000_000);
              writeFileSync(flag, '');
            },
          }),
        );
        expect(failure.message).toBe(`${file} changed while it was being used`);
        expect(existsSync(trace)).toBe(false);
      });
    });

    describe('lets go', () => {
      const endless = (pids: string) =>
        sh`sh -c 'echo $$ > ${raw(asScript(pids))}; echo started; exec sleep 300' & wait`;

      test('of a command that takes too long, and ends it there', async () => {
        const pids = join(dir, 'pid');
        const failure = await failureOf(host.query(query(endless(pids)), { timeout: 1000 }));
        expect(failure).toMatchObject({ code: 'timeout', where: { host: host.name } });
        expect(await ended(pids)).toBe(true);
      });

      test('of a command that is interrupted, and ends it there', async () => {
        const pids = join(dir, 'pid');
        const stop = new AbortController();
        const failure = await failureOf(
          host.query(query(endless(pids)), { signal: stop.signal, onLine: () => stop.abort() }),
        );
        expect(failure).toMatchObject({ code: 'interrupted', where: { host: host.name } });
        expect(await ended(pids)).toBe(true);
      });

      test('before anything runs, where the interruption came first', async () => {
        const trace = join(dir, 'trace');
        const failure = await failureOf(host.mutate(mutation(sh`: > ${trace}`), { signal: AbortSignal.abort() }));
        expect(failure.code).toBe('interrupted');
        expect(existsSync(trace)).toBe(false);
      });

      test('and answers as before afterwards', async () => {
        await failureOf(host.query(query(sh`sleep 300`), { timeout: 200 }));
        expect((await host.query(query(sh`echo still here`))).stdout).toBe('still here\n');
      });

      test('with a failure and never a success, where the connection is lost', async () => {
        if (!subject.cut) return;
        const { cut } = subject;
        const failure = await failureOf(host.query(query(sh`echo ready; sleep 300`), { onLine: () => cut() }));
        expect(failure).toMatchObject({ code: 'unreachable', where: { host: host.name } });
        expect((await host.query(query(sh`echo back`))).stdout).toBe('back\n');
      });

      test('with a failure, where the connection is lost while a payload is on its way', async () => {
        if (!subject.cut) return;
        const { cut } = subject;
        const bytes = randomBytes(20_000_000);
        const failure = await failureOf(
          host.mutate(mutation(sh`head -c 1000 >/dev/null; echo ready; sleep 300`, [{ bytes }]), {
            onLine: () => cut(),
          }),
        );
        expect(failure.code).toBe('unreachable');
      });
    });
  });
}

/** What a promise fails with, which must be a Failure. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const outcome = await promise.then(
    (value) => new Error(`it succeeded with ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  if (outcome instanceof Failure) return outcome;
  throw outcome;
}

const waitFor = (file: string) => ({ raw: sh`while [ ! -e ${file} ]; do sleep 0.01; done` });

async function ended(pids: string): Promise<boolean> {
  const pid = readFileSync(pids, 'utf8').trim();
  for (let attempt = 0; attempt < 500 && isAlive(pid); attempt++) await sleep(10);
  return !isAlive(pid);
}

/** An ended process whose parent has not waited for it yet is a zombie, which is as good as gone. */
const isAlive = (pid: string): boolean => {
  const status = read(`/proc/${pid}/status`);
  return status !== '' && !/^State:\s+Z/m.test(status);
};

const processes = (): readonly string[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name));

const commandAndEnvironment = (pid: string): string => read(`/proc/${pid}/cmdline`) + read(`/proc/${pid}/environ`);

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

const sha = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');
