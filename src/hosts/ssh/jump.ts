import { defined } from '../../defined.js';
import { Failure } from '../../failure.js';
import type { SshLogin, SshSettings } from '../../inventory/cluster.js';
import { type Connection, type ConnectOptions, connect, connectTimeout, type JumpHosts } from './connection.js';
import { isProhibited } from './forward.js';
import { placeOf } from './jump-text.js';
import { openWays } from './ways.js';

/** What jump hosts are connected to with: as the hosts behind them. */
export interface JumpOptions extends Pick<ConnectOptions, 'acceptNewHostKeys' | 'agent' | 'secrets' | 'keepalive'> {
  /** Milliseconds for a connection, and as many again for the login; what the inventory says of the host when absent. */
  readonly connectTimeout?: number | undefined;
}

/** All hosts behind a jump host share one connection to it; a jump host is a host itself, behind those that come before it. */
export const openJumpHosts = (options: JumpOptions): JumpHosts => {
  const { connectTimeout: timeout, ...shared } = options;

  const ways = openWays((logins: readonly SshLogin[]): Promise<Connection> => {
    const last = lastOf(logins);
    return connect({
      ...shared,
      timeout: timeout ?? connectTimeout(last),
      host: nameOf(last),
      ssh: { ...last, transport: 'ssh', become: 'none', jump: logins.slice(0, -1) },
      jumps,
      attempts: 4,
    });
  });

  const jumps: JumpHosts = {
    through: (host, ssh, login) =>
      ways.over(
        ssh.jump ?? [],
        (error) => jumpIsLost(host, ssh, error),
        async (jump) => {
          const stream = await jump
            .dial(ssh.address, ssh.port, timeout ?? connectTimeout(ssh))
            .catch((error: unknown) => Promise.reject(notForwarded(host, ssh, error)));
          try {
            return await login(stream);
          } catch (error) {
            stream.destroy();
            throw error;
          }
        },
      ),
    close: () => ways.close(),
  };
  return jumps;
};

/** A jump host, for sentences. */
export const nameOf = ({ address }: SshLogin): string => `the jump host ${address}`;

/** The Failure of a host whose jump host cannot be reached. Not worth another try: the jump host had its own. */
export const jumpIsLost = (host: string, ssh: SshSettings, error: unknown): unknown =>
  error instanceof Failure ? unreached(host, ssh, error, error.next, error) : error;

const notForwarded = (host: string, ssh: SshSettings, error: unknown): unknown => {
  if (!(error instanceof Failure)) return error;
  const from = lastOf(ssh.jump ?? []).address;
  const next = isProhibited(error.cause)
    ? error.next
    : `see that the machine is up, and that ${from} reaches it at ${ssh.address}:${ssh.port}`;
  return unreached(host, ssh, error, next, error.cause);
};

const unreached = (
  host: string,
  ssh: SshSettings,
  { message, why }: Failure,
  next: string | undefined,
  cause: unknown,
) =>
  new Failure('unreachable', `cannot connect to ${host} at ${placeOf(ssh)}`, {
    where: { host, address: ssh.address },
    why: [message, ...why],
    ...defined({ next }),
    cause,
  });

export const lastOf = (logins: readonly SshLogin[]): SshLogin => {
  const last = logins.at(-1);
  if (!last) throw new Error('a way without a jump host');
  return last;
};
