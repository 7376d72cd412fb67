import { setTimeout as sleep } from 'node:timers/promises';
import type { RemoteProcess } from '../script/run.js';

/** The sessions of one connection: as many at a time as the host allows, the others wait for a place. */
export interface Sessions {
  /** Runs what opens a session once there is a place. Rejects as `open` does; with `isFull` where the host allows none at all. */
  start(open: () => Promise<RemoteProcess>): Promise<RemoteProcess>;
}

/** How many a host allows (MaxSessions in sshd_config(5)) is learned from its refusals. */
export const shareSessions = (): Sessions => {
  let places = Number.POSITIVE_INFINITY;
  let taken = 0;
  let running = 0;
  const waiting: (() => void)[] = [];

  const place = async (): Promise<void> => {
    while (taken >= places) await new Promise<void>((resolve) => waiting.push(resolve));
    taken++;
  };

  const leave = (): void => {
    taken--;
    waiting.shift()?.();
  };

  const inPlace = async (open: () => Promise<RemoteProcess>): Promise<RemoteProcess> => {
    await place();
    try {
      const process = await open();
      running++;
      const end = (): void => {
        running--;
        leave();
      };
      process.ended.then(end, end);
      return process;
    } catch (error) {
      leave();
      throw error;
    }
  };

  return {
    async start(open) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await inPlace(open);
        } catch (error) {
          if (!isFull(error)) throw error;
          if (attempt >= patience && running > 0) {
            places = running;
            attempt = 0;
          } else {
            if (attempt >= attempts) throw error;
            await sleep(attempt * 20);
          }
        }
      }
    },
  };
};

/**
 * Refusals that say nothing: OpenSSH frees the place of a finished session a little late, and less than the third of a
 * second that these take.
 */
const patience = 5;

/** Two seconds in all. */
const attempts = 15;

/** SSH_OPEN_CONNECT_FAILED (RFC 4254, 5.1), which is what OpenSSH answers beyond MaxSessions. The connection survives it. */
export const isFull = (error: unknown): boolean => error instanceof Error && 'reason' in error && error.reason === 2;

/** Such a refusal where the answer itself is not seen, only the words of ssh. */
export const refusedSession = (message: string): Error => Object.assign(new Error(message), { reason: 2 });
