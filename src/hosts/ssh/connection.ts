import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { defined } from '../../defined.js';
import type { SshLogin, SshSettings } from '../../inventory/cluster.js';
import { asRoot } from '../become.js';
import type { Spawn } from '../script/run.js';
import { type OperatorSecrets, SecretNeeded } from '../secrets.js';
import { startCommand } from './channel.js';
import { explain, isTransient } from './explain.js';
import { forward } from './forward.js';
import { handshake, type Keepalive } from './handshake.js';
import { checkHostKey } from './host-key.js';
import { readIdentities } from './identities.js';
import { shareSessions } from './sessions.js';
import { openSocket } from './socket.js';

/** A logged-in connection to one host. It does not come back by itself: once closed, it stays closed. */
export interface Connection {
  readonly start: Spawn;
  /** A TCP connection that the host opens for this machine, within milliseconds. Rejects with a Failure where it does not. */
  dial(address: string, port: number, timeout?: number): Promise<Duplex>;
  /** Resolves with the reason once the connection is closed. */
  readonly gone: Promise<string>;
  closed(): boolean;
  close(): Promise<void>;
}

/** What leads to hosts behind jump hosts. */
export interface JumpHosts {
  /**
   * Logs in to a host with `ssh.jump`: `login` is given a stream to its sshd. Throws a Failure that names the host and
   * the jump host where there is none.
   */
  through<T>(host: string, ssh: SshSettings, login: (stream: Duplex) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface ConnectOptions {
  readonly host: string;
  readonly ssh: SshSettings;
  readonly acceptNewHostKeys: boolean;
  /** Milliseconds for the TCP connection, and as many again for the login. */
  readonly timeout: number;
  /** Path of the ssh-agent's socket. */
  readonly agent: string | undefined;
  readonly secrets: OperatorSecrets;
  readonly keepalive?: Keepalive;
  /** The connections that lead to hosts with `ssh.jump`. */
  readonly jumps: JumpHosts;
  /** How often a host that refuses or cuts the connection is tried. */
  readonly attempts?: number;
}

/** Milliseconds for the connection, and as many again for the login. */
export const connectTimeout = ({ timeout = 10 }: SshLogin): number => timeout * 1000;

/**
 * Connects and logs in. Every reason why that fails is a Failure `unreachable` that names the address.
 * A connection that is refused or cut before it says anything is tried again: a host that just boots does that, and so
 * does a busy sshd (MaxStartups in sshd_config(5)), which many hosts behind one jump host meet more often.
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { attempts = isStraight(options.ssh) ? 2 : 4, secrets } = options;
  for (let tried = 1; ; ) {
    try {
      return await attempt(options);
    } catch (error) {
      if (error instanceof SecretNeeded) {
        // Known from now on, whatever the answer is; the attempt that asked for it counts as none.
        await secrets.get(error.kind, error.subject);
        continue;
      }
      if (!isTransient(error) || tried === attempts) throw error;
      await sleep(tried++ * oneSecond);
    }
  }
}

const oneSecond = 1000;

const isStraight = ({ jump = [] }: SshSettings): boolean => jump.length === 0;

const passwordFor = async ({ password, user }: SshSettings, secrets: OperatorSecrets) =>
  password && (secrets.known('login', user) ?? new SecretNeeded('login', user));

async function attempt({ host, ssh, timeout, ...options }: ConnectOptions): Promise<Connection> {
  const { address, port } = ssh;
  const hostKey = await checkHostKey({
    host,
    address,
    port,
    files: [ssh.knownHosts, ...(ssh.moreKnownHosts ?? [])],
    ...defined({ alias: ssh.hostKeyAlias }),
    acceptNew: options.acceptNewHostKeys,
  });
  const { secrets } = options;
  const agent = ssh.agent ?? options.agent;
  const identities = await readIdentities({ host, ssh, agent, secrets });
  const password = await passwordFor(ssh, secrets);
  const blame = explain({ host, ssh, hostKey, identities, timeout });
  const keepalive = options.keepalive ?? { interval: 5000, count: 4 };
  const login = (stream: Duplex) =>
    handshake(stream, { user: ssh.user, identities, password, hostKey, timeout, keepalive }).catch(blame);
  const client = isStraight(ssh)
    ? await login(await openSocket(address, port, timeout).catch(blame))
    : await options.jumps.through(host, ssh, login);

  let reason = 'the host closed the connection';
  let closed = false;
  client.on('error', (error) => {
    reason = error.message;
  });
  const gone = new Promise<string>((resolve) => {
    client.on('close', () => {
      closed = true;
      resolve(reason);
    });
  });
  const remote = { host, sessions: shareSessions(), reason: () => reason };
  const { user, become } = ssh;
  const run = (command: string) => startCommand(client, command, remote);
  return {
    start: asRoot(run, { host, user, become, secrets }),
    dial: (to, toPort, within) => forward(client, host, to, toPort, within),
    gone,
    closed: () => closed,
    async close() {
      if (closed) return;
      client.end();
      await Promise.race([gone, sleep(oneSecond, undefined, { ref: false })]);
      client.destroy();
    },
  };
}
