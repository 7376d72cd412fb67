import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { messageOf } from '../message.js';
import type { RemoteProcess } from '../script/run.js';
import { full, lost, type Remote } from '../ssh/channel.js';
import { isFull, refusedSession } from '../ssh/sessions.js';
import type { Master } from './master.js';
import { readReport, reporting } from './report.js';

/** Starts a command over a control socket, once the host has a place for it. */
export async function startCommand(master: Master, command: string, remote: Remote): Promise<RemoteProcess> {
  const mark = `kbs-${randomBytes(8).toString('hex')}`;
  try {
    return await remote.sessions.start(() => start(master, reporting(mark, command), mark, remote));
  } catch (error) {
    throw isFull(error) ? full(remote, error) : lost(remote, messageOf(error), error);
  }
}

const start = async (master: Master, command: string, mark: string, remote: Remote): Promise<RemoteProcess> => {
  const child = execa('ssh', [...master.client('ERROR'), command], {
    stdin: 'pipe',
    buffer: false,
    reject: false,
    encoding: 'buffer',
    // Its own process group: an interruption at the terminal goes to kbs, which ends the command in its own way.
    detached: true,
  });
  const report = readReport(child.stderr, mark);
  // execa lets go of what is not read at once.
  const stdout = child.stdout.pipe(new PassThrough());
  const exited = new Promise<number | null>((resolve) =>
    child.once('exit', resolve).once('error', () => resolve(null)),
  );
  const over = Promise.all([exited, finished(child.stderr).catch(() => {})]);
  await Promise.race([report.begun, over, sleep(patience, undefined, { ref: false })]);
  if (report.marks() === 0 && child.exitCode === 255 && isRefused.test(report.before())) {
    throw refusedSession(report.before().trim());
  }
  const read = [stdout, report.stderr].map((stream) => finished(stream).catch(() => {}));
  const ended = Promise.all([over, ...read]).then(async ([[code]]) => {
    if (code !== null && (code !== 255 || report.marks() === 2)) return code;
    // The reason is known once the connection is seen to be gone.
    await Promise.race([master.gone, sleep(patience, undefined, { ref: false })]);
    throw lost(remote, remote.reason());
  });
  ended.catch(() => {});
  return {
    stdin: child.stdin,
    stdout,
    stderr: report.stderr,
    ended,
    abandon() {
      child.kill('SIGKILL');
      for (const stream of [child.stdin, child.stdout, child.stderr, stdout, report.stderr]) stream.destroy();
      child.unref();
    },
  };
};

/** Milliseconds until a command counts as begun though its shell says nothing: the limits of the run count from then. */
const patience = 5000;

/** The words of ssh where the host has no place for one more session (MaxSessions in sshd_config(5)). */
const isRefused = /session request failed|open refused by peer/i;
