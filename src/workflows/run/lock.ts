import { readFile, writeFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lock } from 'proper-lockfile';
import { Failure } from '../../failure.js';
import { makePrivateFolder } from '../../private-folder.js';
import { withWriteErrors } from '../write-error.js';

export interface Lockable {
  /** The folder of the cluster's state. */
  readonly directory: string;
  /** What the holder is doing, for the second runner. */
  readonly command: string;
  readonly say: (text: string) => void;
}

/**
 * Holds the operator's lock on one cluster while `work` runs. A second run is refused, with the holder's name and the time.
 * The lock of a process that died is taken over once it has not been renewed for ten seconds.
 */
export const holdingLock = async <T>({ directory, command, say }: Lockable, work: () => Promise<T>): Promise<T> => {
  const holder = join(directory, 'holder.json');
  const inState = <R>(write: () => Promise<R>) =>
    withWriteErrors(directory, 'kbs keeps its state beside the inventory: make that folder writable', write);
  const release = await inState(async () => {
    makePrivateFolder(directory);
    return acquire(directory, holder, say);
  });
  try {
    await inState(() => writeFile(holder, holderText(command)));
    return await work();
  } finally {
    await release();
  }
};

const stale = 10_000;

const acquire = async (directory: string, holder: string, say: Lockable['say']): Promise<() => Promise<void>> => {
  const begun = Date.now();
  for (let attempt = 1; ; attempt++) {
    try {
      return await lock(directory, { lockfilePath: join(directory, 'lock'), stale });
    } catch (cause) {
      if (!isLocked(cause)) throw cause;
      const holderSaid = await readFile(holder, 'utf8').catch(() => '');
      if (!died(holderSaid) || Date.now() - begun > 2 * stale) throw locked(holderSaid, cause);
      if (attempt === 1) say(`the last run died (${holderSaid.trim()}); taking over its lock in a few seconds`);
      await sleep(500);
    }
  }
};

const isLocked = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ELOCKED';

const holderText = (command: string): string =>
  `${userInfo().username}@${hostname()}, process ${process.pid}: kbs ${command}, since ${new Date().toISOString()}\n`;

/** Whether the holder was a process of this machine that has ended. Of another machine that is unknown. */
const died = (holderSaid: string): boolean => {
  const [, host, pid] = /@(\S+), process (\d+):/.exec(holderSaid) ?? [];
  if (host !== hostname() || pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
};

const locked = (holderSaid: string, cause: unknown): Failure =>
  new Failure('locked', 'another run of kbs is at work on this cluster', {
    why: [holderSaid.trim() || 'it left no name'],
    next: 'wait for it to end, then run the same command again',
    cause,
  });
