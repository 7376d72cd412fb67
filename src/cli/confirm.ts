import { createInterface } from 'node:readline/promises';
import { Failure } from '../failure.js';
import { oneLine } from './text/printable.js';

/** Throws wrong usage where no question can be asked. `dryRun` says whether the command has that flag. */
export function requireTerminal(dryRun: boolean): void {
  if (process.stdin.isTTY && process.stderr.isTTY) return;
  throw new Failure('usage', 'this command asks before it changes anything, and has no terminal to ask on', {
    why: ['stdin or stderr is not a terminal'],
    next: `give --yes to agree beforehand${dryRun ? ', or --dry-run to see what would change' : ''}`,
  });
}

/** Asks a yes-or-no question on the terminal; anything but yes is no. */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // readline takes Ctrl-C for itself while it reads.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    const answer = await terminal.question(`${oneLine(question)} [y/N] `, { signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    // Ctrl-D at the question.
    if (error instanceof Error && error.name === 'AbortError') return false;
    throw error;
  } finally {
    terminal.close();
  }
}
