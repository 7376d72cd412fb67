import { createInterface } from 'node:readline/promises';
import { Failure } from '../failure.js';
import { oneLine } from './text/printable.js';

/** Questions of one line on the terminal, each with the answer that Enter stands for. */
export interface Questions {
  ask(question: string, fallback: string): Promise<string>;
  close(): void;
}

/** Whether questions can be asked. */
export const isTerminal = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true;

/** Throws `interrupted` after Ctrl-C, and after Ctrl-D at a question. */
export function openQuestions(signal: AbortSignal): Questions {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // readline takes Ctrl-C for itself while it reads.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const ended = new AbortController();
  terminal.on('close', () => ended.abort());
  return {
    async ask(question, fallback) {
      const shown = fallback === '' ? '' : ` [${oneLine(fallback)}]`;
      try {
        return await terminal.question(`${question}${shown}: `, { signal: AbortSignal.any([signal, ended.signal]) });
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (!ended.signal.aborted) throw error;
        throw new Failure('interrupted', 'the input ended before all questions were answered', { cause: error });
      }
    },
    close: () => terminal.close(),
  };
}
