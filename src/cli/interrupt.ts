import { exits, Failure } from '../failure.js';

/** The user's request to stop, as a signal that aborts. `close` gives Ctrl-C back its usual meaning. */
export interface Interrupt {
  readonly signal: AbortSignal;
  close(): void;
}

/** What the first Ctrl-C says of a command that changes something. */
export const stopping =
  'Stopping after the running step. It is safe to run the same command again. Ctrl-C again stops at once.';

/**
 * Listens for Ctrl-C, and for a polite request to terminate. The first one aborts the signal and calls `onFirst`, to say
 * what happens now; the second ends the process at once with status 130.
 */
export function listenForInterrupt(onFirst: () => void): Interrupt {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(exits.interrupted);
    onFirst();
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
