import { createInterface } from 'node:readline/promises';
import { Failure } from '../failure.js';
import { oneLine, printable } from './text/printable.js';

/**
 * Asks a yes-or-no question on the terminal; anything but yes is no. Without a terminal this is wrong usage. `dryRun` says
 * whether the command that asks has that flag.
 */
export async function confirm(question: string, signal: AbortSignal, dryRun = false): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new Failure('usage', `${question} No answer is possible`, {
      why: ['stdin or stderr is not a terminal'],
      next: `give --yes to agree beforehand${dryRun ? ', or --dry-run to see what would change' : ''}`,
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // readline takes Ctrl-C for itself while it reads.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    const answer = await terminal.question(`${printable(oneLine(question))} [y/N] `, { signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    terminal.close();
  }
}
