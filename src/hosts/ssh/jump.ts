import pLimit, { type LimitFunction } from 'p-limit';
import { defined } from '../../defined.js';
import { Failure } from '../../failure.js';
import type { SshLogin, SshSettings } from '../../inventory/cluster.js';
import { type Connection, type ConnectOptions, connect, connectTimeout, type JumpHosts } from './connection.js';
import { isProhibited } from './forward.js';
import { placeOf } from './jump-text.js';

/** What jump hosts are connected to with: as the hosts behind them. */
export interface JumpOptions extends Pick<ConnectOptions, 'acceptNewHostKeys' | 'agent' | 'secrets' | 'keepalive'> {
  /** Milliseconds for a connection, and as many again for the login; what the inventory says of the host when absent. */
  readonly connectTimeout?: number | undefined;
}

/**
 * Makes a connection to a jump host when it is needed first, and again after it was lost. All hosts behind it share it;
 * a few at a time log in through it.
 */
export const openJumpHosts = (options: JumpOptions): JumpHosts => {
  const ways = new Map<string, Way>();

  const wayOf = (logins: readonly SshLogin[]): Way => {
    const key = JSON.stringify(logins);
    const way = ways.get(key) ?? { limit: pLimit(loginsAtOnce), connection: undefined };
    ways.set(key, way);
    return way;
  };

  /** A jump host is a host itself, behind those that come before it. */
  const connected = async (way: Way, logins: readonly SshLogin[]): Promise<Connection> => {
    const known = await way.connection?.catch(() => undefined);
    if (known && !known.closed()) return known;
    // Another host may have begun anew meanwhile.
    way.connection = way.connecting ??= begin(logins).finally(() => {
      way.connecting = undefined;
    });
    return way.connection;
  };

  const { connectTimeout: timeout, ...shared } = options;

  const begin = (logins: readonly SshLogin[]): Promise<Connection> => {
    const last = lastOf(logins);
    return connect({
      ...shared,
      timeout: timeout ?? connectTimeout(last),
      host: nameOf(last),
      ssh: { ...last, transport: 'ssh', become: 'none', jump: logins.slice(0, -1) },
      jumps,
      attempts: 4,
    });
  };

  const jumps: JumpHosts = {
    async through(host, ssh, login) {
      const logins = ssh.jump ?? [];
      const way = wayOf(logins);
      const jump = () => connected(way, logins).catch((error: unknown) => Promise.reject(jumpIsLost(host, ssh, error)));
      // Those that wait for their turn would meet the same failure one after the other.
      await jump();
      return way.limit(async () => {
        const stream = await (await jump())
          .dial(ssh.address, ssh.port, timeout ?? connectTimeout(ssh))
          .catch((error: unknown) => Promise.reject(notForwarded(host, ssh, error)));
        try {
          return await login(stream);
        } catch (error) {
          stream.destroy();
          throw error;
        }
      });
    },
    async close() {
      // Those behind others first: they end in an orderly way only over what still stands.
      const open = [...ways].sort(([a], [b]) => b.length - a.length);
      for (const [, { connection }] of open) await connection?.then((each) => each.close()).catch(() => {});
    },
  };
  return jumps;
};

interface Way {
  readonly limit: LimitFunction;
  connection?: Promise<Connection> | undefined;
  connecting?: Promise<Connection> | undefined;
}

/** OpenSSH begins to refuse logins at ten that are not finished (MaxStartups); hosts behind NAT may share one sshd. */
const loginsAtOnce = 6;

const nameOf = ({ address }: SshLogin): string => `the jump host ${address}`;

/** Not worth another try: the jump host had its own. */
const jumpIsLost = (host: string, ssh: SshSettings, error: unknown): unknown =>
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

const lastOf = (logins: readonly SshLogin[]): SshLogin => {
  const last = logins.at(-1);
  if (!last) throw new Error('a way without a jump host');
  return last;
};
