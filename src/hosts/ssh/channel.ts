import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ClientChannel } from 'ssh2';
import { Failure } from '../../failure.js';
import type { Elevation } from '../become.js';
import { messageOf } from '../message.js';
import type { RemoteProcess } from '../script/run.js';
import { quote } from '../shell.js';

export interface Remote {
  readonly host: string;
  /** Why the connection was lost, once it was. */
  reason(): string;
}

/**
 * Starts `sh -c SCRIPT` in a channel of its own, as root where `elevation` says how.
 *
 * OpenSSH frees the place of a finished session a little late, and refuses a new one meanwhile (reason 2). The
 * connection survives that, so kbs asks again, for some seconds.
 */
export async function startCommand(
  client: Client,
  { prefix, password }: Elevation,
  script: string,
  remote: Remote,
): Promise<RemoteProcess> {
  const command = `${prefix}sh -c ${quote(script)}`;
  for (let attempt = 1; ; attempt++) {
    try {
      const running = await exec(client, command, remote);
      if (password !== undefined) running.stdin.write(`${password.reveal()}\n`);
      return running;
    } catch (error) {
      if (!isFull(error)) throw lost(remote, messageOf(error), error);
      if (attempt === attempts) throw full(remote, error);
      await sleep(attempt * 20);
    }
  }
}

const attempts = 15;

/** Listens from within the callback: a command that ends at once has sent its exit status in the same packet. */
const exec = (client: Client, command: string, remote: Remote): Promise<RemoteProcess> =>
  new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => (error ? reject(error) : resolve(runningIn(channel, remote))));
  });

const runningIn = (channel: ClientChannel, remote: Remote): RemoteProcess => ({
  stdin: channel,
  stdout: channel,
  stderr: channel.stderr,
  ended: ended(channel, remote),
  abandon: () => channel.close(),
});

/** SSH_OPEN_CONNECT_FAILED (RFC 4254, 5.1), which is what OpenSSH answers beyond MaxSessions. */
const isFull = (error: unknown): boolean => error instanceof Error && 'reason' in error && error.reason === 2;

const ended = (channel: ClientChannel, remote: Remote): Promise<number> =>
  new Promise((resolve, reject) => {
    let code: number | undefined;
    channel.on('exit', (status: number | null, signal?: NodeJS.Signals) => {
      code = status ?? 128 + (signal ? (constants.signals[signal] ?? 0) : 0);
    });
    const complete = Promise.all([
      new Promise((close) => channel.on('close', close)),
      new Promise((close) => channel.stderr.on('end', close).on('close', close)),
    ]);
    // A channel that closes without an exit status is a connection that died, not a command that succeeded.
    void complete.then(() => (code === undefined ? reject(lost(remote, remote.reason())) : resolve(code)));
  });

const lost = ({ host }: Remote, why: string, cause?: unknown): Failure =>
  new Failure('unreachable', `the connection to ${host} was lost during a command`, {
    where: { host },
    why: [why],
    next: 'run the same command again once the host answers: it goes on where it stopped',
    cause,
  });

const full = ({ host }: Remote, cause: unknown): Failure =>
  new Failure('unreachable', `${host} allows no more sessions over its connection`, {
    where: { host },
    why: [messageOf(cause)],
    next: 'raise MaxSessions in its sshd_config; kbs uses up to five at a time',
    cause,
  });
