import { exits, Failure } from '../failure.js';

/** The user's request to stop, as a signal that aborts. `close` gives Ctrl-C back its usual meaning. */
export interface Interrupt {
  readonly signal: AbortSignal;
  close(): void;
}

/**
 * Listens for Ctrl-C, and for a polite request to terminate. The first one aborts the signal and says what happens
 * now; the second ends the process at once with status 130.
 */
export function listenForInterrupt(say: (text: string) => void): Interrupt {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(exits.interrupted);
    say('Stopping after the running step. It is safe to run the same command again. Ctrl-C again stops at once.');
    controller.abort(interrupted());
  };
  for (const name of signals) process.on(name, stop);
  return {
    signal: controller.signal,
    close: () => {
      for (const name of signals) process.off(name, stop);
    },
  };
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const interrupted = (): Failure =>
  new Failure('interrupted', 'interrupted', { next: 'run the same command again: it goes on from where it stopped' });
