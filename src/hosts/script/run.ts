import { randomBytes } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { Failure } from '../../failure.js';
import type { Output, Payload, RunOptions } from '../host.js';
import { frame, killGroupScript } from './frame.js';
import { notStarted } from './not-started.js';
import { readOutput, readToEnd } from './output.js';
import { checkFiles, writeStdin } from './stdin.js';

/** What a transport has to offer: it starts the reader of script/frame.ts, as root, and hands over its three streams. */
export type Spawn = () => Promise<RemoteProcess>;

export interface RemoteProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The exit status, once all output was read; a signal counts as 128 + its number. Rejects with a Failure where the command was lost. */
  readonly ended: Promise<number>;
  /** Lets go of the command at once, whatever it is doing. */
  abandon(): void;
}

/** One script for one host. */
export interface ScriptRun {
  readonly host: string;
  readonly script: string;
  readonly payloads: readonly Payload[];
}

/**
 * Runs one script over a transport: sends it with its payloads, listens, and waits for its end, a timeout or an
 * interruption, whichever comes first. Every transport goes through here, so that all of them behave the same.
 */
export async function runScript(start: Spawn, work: ScriptRun, options: RunOptions = {}): Promise<Output> {
  const { host } = work;
  if (options.signal?.aborted) throw interrupted(host);
  await checkFiles(work.payloads);
  const script = frame(work.script, newMark());
  const running = await start();

  const stdout = readOutput(running.stdout, options.onLine);
  const stderr = readToEnd(running.stderr);
  const over = new AbortController();
  const feeding = writeStdin(running.stdin, script, work.payloads, over.signal);
  try {
    const code = await Promise.race([
      running.ended,
      feeding.then(forever),
      expiry(host, options.timeout ?? halfAnHour, over.signal),
      interruption(host, options.signal, over.signal),
    ]);
    if (stdout.pid() === undefined) throw notStarted(host, code, stderr(), stdout.noise());
    return { code, stdout: stdout.text(), stderr: stderr() };
  } catch (error) {
    await end(start, stdout.pid());
    running.abandon();
    throw error;
  } finally {
    over.abort();
  }
}

/** A word that no other script has. */
const newMark = (): string => randomBytes(8).toString('hex');

/** Long enough for the slowest upload that is still worth waiting for; a host that died is noticed in seconds. */
const halfAnHour = 30 * 60 * 1000;

const forever = (): Promise<never> => new Promise(() => {});

const expiry = (host: string, milliseconds: number, over: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const timer = setTimeout(() => reject(timeout(host, milliseconds)), milliseconds);
    over.addEventListener('abort', () => clearTimeout(timer), { once: true });
  });

/** A signal of our own that follows the caller's: one signal serves a hundred hosts, and Node warns of a hundred listeners. */
const interruption = (host: string, signal: AbortSignal | undefined, over: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (!signal) return;
    if (signal.aborted) reject(interrupted(host));
    AbortSignal.any([signal]).addEventListener('abort', () => reject(interrupted(host)), { once: true, signal: over });
  });

/**
 * Ends what is still running on the host. It comes before its stdin closes: a script that reads a payload would take
 * the end of input for the end of the payload, and go on with half a file.
 */
async function end(start: Spawn, pid: number | undefined): Promise<void> {
  if (pid === undefined) return;
  const kill = start().then(async (running) => {
    running.stdout.resume();
    running.stderr.resume();
    running.stdin.on('error', () => {}).end(frame(killGroupScript(pid), newMark()));
    const patience = setTimeout(() => running.abandon(), twoSeconds);
    await running.ended.finally(() => clearTimeout(patience));
  });
  await Promise.race([kill.catch(() => {}), new Promise((resolve) => setTimeout(resolve, twoSeconds).unref())]);
}

const twoSeconds = 2000;

const timeout = (host: string, milliseconds: number): Failure =>
  new Failure('timeout', `${host} did not finish a command within ${milliseconds / 1000} s`, {
    where: { host },
    next: 'see what keeps the host busy, and run it again; a longer --timeout helps where it is only slow',
  });

/** The Failure of a command that the user's own signal ended. */
export const interrupted = (host: string): Failure =>
  new Failure('interrupted', `interrupted while ${host} was at work`, {
    where: { host },
    next: 'run the same command again: it goes on where it stopped',
  });
