import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { Failure } from '../../failure.js';
import { messageOf } from '../message.js';

/** Has a host open a TCP connection, as `ssh -L` does: what is written here arrives there, and back. */
export const forward = async (client: Client, host: string, address: string, port: number): Promise<Duplex> => {
  try {
    return await new Promise((resolve, reject) => {
      client.forwardOut('127.0.0.1', 0, address, port, (error, channel) => (error ? reject(error) : resolve(channel)));
    });
  } catch (cause) {
    const isForbidden = cause instanceof Error && 'reason' in cause && cause.reason === prohibited;
    throw new Failure('unreachable', `${host} opens no connection to ${address}:${port}`, {
      where: { host },
      why: [messageOf(cause)],
      next: isForbidden
        ? 'allow it in its sshd_config: AllowTcpForwarding local, and no PermitOpen that leaves this address out'
        : 'see what listens there: kbs status',
      cause,
    });
  }
};

/** SSH_OPEN_ADMINISTRATIVELY_PROHIBITED (RFC 4254, 5.1). */
const prohibited = 1;
