import { execa } from 'execa';
import { Failure } from '../failure.js';

/**
 * Runs a tool of this machine and gives its stdout. A tool that fails is a Failure with the last lines of its stderr.
 * `doing` ends the sentence "could not …".
 */
export const run = async (doing: string, tool: string, words: readonly string[], options: Options = {}) => {
  const result = await execa(tool, words, {
    reject: false,
    stdin: options.stdin ?? 'ignore',
    // What goes to a file is not gathered in memory too.
    ...(options.stdout === undefined ? {} : { stdout: options.stdout, buffer: { stdout: false } }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.environment === undefined ? {} : { env: options.environment }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  });
  if (!result.failed) return typeof result.stdout === 'string' ? result.stdout : '';
  const output = typeof result.stderr === 'string' ? result.stderr.trim().split('\n').slice(-12) : [];
  if (result.isCanceled) throw new Failure('interrupted', `stopped before it could ${doing}`, { next: again });
  throw new Failure('preflight', `could not ${doing}`, {
    where: { command: [tool, ...words].join(' ').slice(0, 200) },
    why: result.exitCode === undefined ? [result.shortMessage ?? ''] : output,
    next: again,
    cause: result,
  });
};

const again = 'finished steps are kept: run the same command again once the reason is gone';

interface Options {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly stdin?: AsyncIterable<Uint8Array> | { readonly file: string };
  readonly stdout?: { readonly file: string };
  readonly signal?: AbortSignal;
}
