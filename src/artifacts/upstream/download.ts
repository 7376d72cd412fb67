import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isRunning, unfinishedBy } from '../cache.js';
import { sha256OfFile } from '../digest.js';
import { isBusy, mostFailures, type Opened, pauseAfter, Refused, reasonOf } from '../http.js';

export interface Wanted {
  /** For messages. */
  readonly url: string;
  /** Hex. */
  readonly sha256: string;
  /** What says so, for messages. */
  readonly saidBy: string;
  /** Asks for the content; the answer's status is looked at here. */
  readonly open: (headers: Readonly<Record<string, string>>) => Promise<Opened>;
  /** No try follows once it aborts; `open` ends what is under way. */
  readonly signal?: AbortSignal | undefined;
}

/** Hears of bytes as they arrive, and of all that there are where the server says it. */
export type OnBytes = (arrived: number, total: number | undefined) => void;

/**
 * The file `into` has the content that is wanted, checked; true where it had it before. What arrived of a download that
 * broke off lies beside in `.partial` and is gone on with, now and by a later run; one that another run is at is left to
 * it. Throws an Error that says the address and the reason.
 */
export const download = async (wanted: Wanted, into: string, onBytes: OnBytes = () => {}): Promise<boolean> => {
  if ((await sizeOf(into)) !== undefined && (await sha256OfFile(into)) === wanted.sha256) return true;
  await mkdir(dirname(into), { recursive: true });
  const partial = await claimPartial(into);
  try {
    await complete(wanted, partial, onBytes);
    await rename(partial, into);
  } catch (error) {
    await rename(partial, `${into}.partial`).catch(() => undefined);
    throw error;
  }
  return false;
};

/**
 * Where this process alone writes: what an earlier run left is moved there, by a rename that one of several runs does. A
 * run that was killed leaves its own, with its process id in the name.
 */
const claimPartial = async (into: string): Promise<string> => {
  const own = `${into}.${process.pid}.partial`;
  const left = (await readdir(dirname(into))).filter((name) => {
    if (name === `${basename(into)}.partial`) return true;
    const pid = unfinishedBy(name);
    return name === `${basename(into)}.${pid}.partial` && !isRunning(pid);
  });
  for (const name of left) await rename(join(dirname(into), name), own).catch(() => undefined);
  return own;
};

const complete = async (wanted: Wanted, partial: string, onBytes: OnBytes): Promise<void> => {
  let failures = 0;
  /** Whether every byte that lies there is of this call, and not of an earlier run. */
  let ours = false;
  for (;;) {
    const start = (await sizeOf(partial)) ?? 0;
    ours ||= start === 0;
    try {
      const resumed = await receive(wanted, partial, start, onBytes);
      const digest = await sha256OfFile(partial);
      if (digest === wanted.sha256) return;
      await rm(partial, { force: true });
      // What lay there may be of another file: once more, from its first byte.
      if (ours || !resumed) {
        throw new WrongContent(`it has sha256 ${digest}, and ${wanted.saidBy} says ${wanted.sha256}`);
      }
    } catch (error) {
      const arrived = (await sizeOf(partial)) ?? 0;
      failures = arrived > start ? 1 : failures + 1;
      if (error instanceof Refused || wanted.signal?.aborted || failures >= mostFailures) {
        const Kind = error instanceof WrongContent ? WrongContent : Error;
        throw new Kind(`${wanted.url}: ${withoutAddress(reasonOf(error), wanted.url)}`, { cause: error });
      }
      await pauseAfter(failures, wanted.signal);
    }
  }
};

/** What was downloaded is not what it should be. */
export class WrongContent extends Refused {}

/** Appends what is missing, or all of it where the server does not go on from the middle. True: it went on. */
const receive = async (wanted: Wanted, partial: string, start: number, onBytes: OnBytes): Promise<boolean> => {
  const answer = await wanted.open(start > 0 ? { range: `bytes=${start}-` } : {});
  const goesOn =
    answer.status === 206 && Number(/^bytes (\d+)-/.exec(String(answer.headers['content-range']))?.[1]) === start;
  if (answer.status === 416 && start > 0) {
    await answer.body.dump();
    // There is no more than this: the digest tells whether it is all.
    return true;
  }
  if (answer.status !== 200 && !goesOn) {
    await answer.body.dump();
    if (answer.status === 206) await rm(partial, { force: true });
    const said = `answers ${answer.status}`;
    throw isBusy(answer.status) || answer.status === 206 ? new Error(said) : new Refused(said);
  }
  const length = Number(answer.headers['content-length']);
  const first = goesOn ? start : 0;
  const total = Number.isNaN(length) ? undefined : first + length;
  let arrived = first;
  const counted = async function* (pieces: AsyncIterable<Uint8Array>) {
    for await (const piece of pieces) {
      arrived += piece.length;
      onBytes(arrived, total);
      yield piece;
    }
  };
  onBytes(arrived, total);
  await pipeline(answer.body, counted, createWriteStream(partial, { flags: goesOn ? 'a' : 'w' }));
  if (total !== undefined && arrived < total) throw new Error(`broke off after ${arrived} of ${total} bytes`);
  return goesOn;
};

const withoutAddress = (reason: string, url: string): string => reason.replace(`${url}: `, '');

const sizeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
