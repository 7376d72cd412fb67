import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { Failure } from '../failure.js';
import { Secret } from '../secret.js';
import { onOneLine, visible } from '../visible.js';

/**
 * Asks on the terminal, without showing what is typed. Undefined where stdin or stderr is no terminal, and for an empty
 * answer. Throws `interrupted` after Ctrl-C.
 */
export async function askSecret(question: string): Promise<Secret | undefined> {
  if (!hasTerminal()) return undefined;
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const stop = new AbortController();
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  // readline takes Ctrl-C for itself while it reads; Ctrl-D closes it.
  terminal.on('SIGINT', () => {
    stop.abort();
    process.kill(process.pid, 'SIGINT');
  });
  terminal.on('close', () => stop.abort('end'));
  try {
    // A path may hold what a terminal obeys.
    process.stderr.write(onOneLine(visible(question)));
    const answer = await terminal.question('', { signal: stop.signal });
    return answer === '' ? undefined : new Secret(answer);
  } catch (error) {
    if (stop.signal.reason === 'end') return undefined;
    if (stop.signal.aborted) throw new Failure('interrupted', 'interrupted at a question', { cause: error });
    throw error;
  } finally {
    process.stderr.write('\n');
    terminal.close();
  }
}

/** Whether there is a terminal to ask on. */
export const hasTerminal = (): boolean => process.stdin.isTTY && process.stderr.isTTY;
