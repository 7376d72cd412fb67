import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';

/** The folder of the sources, whose `dist` the tests run. */
export const root = join(import.meta.dirname, '../../..');

/** How one run of the command line ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface KbsOptions {
  readonly cwd: string;
  /** The exit status that the caller counts on; 0 when absent. */
  readonly exit?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the built command line to its end. Another exit status than the expected one throws all that it said. */
export const kbs = async (words: readonly string[], { cwd, exit = 0, env }: KbsOptions): Promise<Ended> => {
  const ended = await startKbs(words, cwd, env).ended;
  if (ended.code !== exit)
    throw new Error(`kbs ${words.join(' ')} ended with ${ended.code}, not ${exit}:\n${told(ended)}`);
  return ended;
};

/** A run that goes on while the test does something else. */
export interface Running {
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

export const startKbs = (words: readonly string[], cwd: string, env: KbsOptions['env'] = {}): Running => {
  if (!existsSync(join(root, 'dist/commands'))) throw new Error('there is no dist to test: npm run build');
  const child = execa(process.execPath, [join(root, 'bin/run.js'), ...words], {
    cwd,
    env: { NO_COLOR: '1', ...env },
    stdin: 'ignore',
    reject: false,
    stripFinalNewline: false,
    // Whatever a test is about, it ends: a command that hangs is a failure with what it said so far.
    timeout: 420_000,
    forceKillAfterDelay: 5_000,
  });
  const ended = child.then(({ exitCode, signal, stdout, stderr }) => ({
    code: exitCode ?? (signal === 'SIGKILL' ? 137 : -1),
    stdout: `${stdout}`,
    stderr: `${stderr}`,
  }));
  return { kill: (signal) => void child.kill(signal), ended };
};

/** What a run said, for the message of a failed test. */
export const told = ({ stdout, stderr }: Ended): string => {
  // What failed is what one looks for, wherever it stands in a long document.
  const failed = stdout.match(/\{[^{}]*"ok": false[^{}]*\}/g) ?? [];
  const results =
    stdout.length > 4000 ? [...failed, stdout.slice(0, 2000), '…', stdout.slice(-2000)].join('\n') : stdout;
  return `--- stderr\n${stderr}--- stdout\n${results}`;
};
