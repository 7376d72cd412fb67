import { constants } from 'node:os';
import type { Client, ClientChannel } from 'ssh2';
import { Failure } from '../../failure.js';
import { messageOf } from '../message.js';
import type { RemoteProcess } from '../script/run.js';
import { isFull, type Sessions } from './sessions.js';

/** The other side of a connection, as its commands know it. */
export interface Remote {
  readonly host: string;
  /** Those of the connection. */
  readonly sessions: Sessions;
  /** Why the connection was lost, once it was. */
  reason(): string;
}

/** Starts a command in a channel of its own, once the host has a place for it. */
export async function startCommand(client: Client, command: string, remote: Remote): Promise<RemoteProcess> {
  try {
    return await remote.sessions.start(() => exec(client, command, remote));
  } catch (error) {
    throw isFull(error) ? full(remote, error) : lost(remote, messageOf(error), error);
  }
}

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

/** The Failure of a command whose connection died. */
export const lost = ({ host }: Remote, why: string, cause?: unknown): Failure =>
  new Failure('unreachable', `the connection to ${host} was lost during a command`, {
    where: { host },
    why: [why],
    next: 'run the same command again once the host answers: it goes on where it stopped',
    cause,
  });

/** The Failure of a host that has no place for even one command. */
export const full = ({ host }: Remote, cause: unknown): Failure =>
  new Failure('unreachable', `${host} allows no more sessions over its connection`, {
    where: { host },
    why: [messageOf(cause)],
    next: 'set MaxSessions in its sshd_config to 1 or more; kbs uses up to five at a time',
    cause,
  });
