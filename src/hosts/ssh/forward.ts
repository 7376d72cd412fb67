import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { Failure } from '../../failure.js';
import { messageOf } from '../message.js';

/**
 * Has a host open a TCP connection, as `ssh -L` does: what is written here arrives there, and back. `timeout` is in
 * milliseconds; without one the host's own counts.
 */
export const forward = async (
  client: Client,
  host: string,
  address: string,
  port: number,
  timeout?: number,
): Promise<Duplex> => {
  try {
    return await opened(client, address, port, timeout);
  } catch (cause) {
    throw notOpened(host, `${address}:${port}`, messageOf(cause), isProhibited(cause), cause);
  }
};

/** The Failure of a host that opens no connection to a place. */
export const notOpened = (host: string, place: string, why: string, isProhibited: boolean, cause: unknown): Failure =>
  new Failure('unreachable', `${host} opens no connection to ${place}`, {
    where: { host },
    why: [why],
    next: isProhibited
      ? 'allow it in its sshd_config: AllowTcpForwarding local, and no PermitOpen that leaves this address out'
      : 'see what listens there: kbs status',
    cause,
  });

/** Whether the host does not allow such connections: SSH_OPEN_ADMINISTRATIVELY_PROHIBITED (RFC 4254, 5.1). */
export const isProhibited = (error: unknown): boolean =>
  error instanceof Error && 'reason' in error && error.reason === 1;

const opened = (client: Client, address: string, port: number, timeout: number | undefined): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    let late = false;
    const timer =
      timeout === undefined
        ? undefined
        : setTimeout(() => {
            late = true;
            reject(new Error(`no answer within ${timeout / 1000} s`));
          }, timeout);
    client.forwardOut('127.0.0.1', 0, address, port, (error, channel) => {
      clearTimeout(timer);
      if (error) reject(error);
      else if (late) channel.destroy();
      else resolve(channel);
    });
  });
