import { open, readFile, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { SshSettings } from '../../inventory/cluster.js';
import { lastLines } from '../last-lines.js';
import type { OperatorSecrets } from '../secrets.js';
import { isDenied, refused } from './explain.js';
import { cannotStart } from './program.js';
import { type LoginWords, loginWords, withoutTokens } from './words.js';

/** An ssh of this machine that holds the connection to a host, and a socket for others to use it. */
export interface Master {
  /** Words for an ssh that uses the connection, destination last. It never connects by itself. */
  client(logLevel: 'ERROR' | 'DEBUG1'): readonly string[];
  /** The same for a ProxyCommand: what stands before the destination. */
  readonly way: readonly string[];
  /** Resolves with the reason once the connection is closed. */
  readonly gone: Promise<string>;
  closed(): boolean;
  /** All that ssh has written about this connection so far. */
  said(): Promise<string>;
  close(): Promise<void>;
}

export interface MasterOptions extends LoginWords {
  readonly host: string;
  readonly ssh: SshSettings;
  /** Path of the control socket, in a folder that only the operator can open; `PATH.log` is written beside it. */
  readonly socket: string;
  /** Milliseconds for the TCP connection, and as many again for the login. */
  readonly timeout: number;
  /** Path of the ssh-agent's socket. */
  readonly agent: string | undefined;
  /** Where ssh may ask by itself; absent without a terminal. */
  readonly terminal: OperatorSecrets['inTurn'] | undefined;
}

/**
 * Logs in without a question, and where the host wants more than ssh has without one, once more with ssh asking on the
 * terminal, one host at a time. Throws a Failure that says why it failed.
 */
export const openMaster = async (options: MasterOptions): Promise<Master> => {
  try {
    await logIn(options, 'silent');
  } catch (error) {
    if (options.terminal === undefined || !isDenied(error)) throw error;
    await options.terminal(() => logIn(options, 'asking'));
  }
  return held(options);
};

const logIn = async (options: MasterOptions, manner: 'silent' | 'asking'): Promise<void> => {
  const { host, ssh, socket, timeout, agent } = options;
  const limit = manner === 'silent' ? 2 * timeout : 2 * timeout + timeToAnswer;
  await writeFile(`${socket}.log`, '', { mode: 0o600 });
  const log = await open(`${socket}.log`, 'a');
  try {
    // ssh goes into the background once it has logged in, so this is over then. Its own words and those of a
    // ProxyCommand go into a file: a pipe would stay open as long as the connection.
    const { exitCode, code, cause, timedOut } = await execa('ssh', masterWords(options, manner), {
      // The type names only the descriptors of the process itself; any other is handed on just so.
      stdio: manner === 'silent' ? ['ignore', 'ignore', log.fd as 2] : ['inherit', 'ignore', 'inherit'],
      reject: false,
      timeout: limit,
      // Ctrl-C at a question is for ssh, too; elsewhere it is kbs's own to handle.
      detached: manner === 'silent',
      env: { SSH_AUTH_SOCK: agent },
    });
    if (code === 'ENOENT') throw cannotStart('ssh', cause);
    if (exitCode === 0) return;
    const said = await saidIn(socket);
    throw refused({ host, ssh, said, late: timedOut ? limit : undefined, canAsk: options.terminal !== undefined });
  } finally {
    await log.close();
  }
};

/** Milliseconds for the operator to answer: as long as an sshd waits (LoginGraceTime in sshd_config(5)). */
const timeToAnswer = 120_000;

/** What stands first wins over ssh's configuration. */
const masterWords = (options: MasterOptions, manner: 'silent' | 'asking'): readonly string[] => [
  '-f',
  '-N',
  '-T',
  ...['-E', `${options.socket}.log`],
  ...settings({
    BatchMode: manner === 'silent' ? 'yes' : 'no',
    NumberOfPasswordPrompts: '1',
    ControlMaster: 'yes',
    ControlPath: withoutTokens(options.socket),
    // Where kbs is killed, the connection ends by itself: until then a connection of kbs's to the socket holds it.
    ControlPersist: '30',
    // As the other transport: a host that answers nothing for twenty seconds is gone.
    ServerAliveInterval: '5',
    ServerAliveCountMax: '4',
    LogLevel: 'INFO',
    ClearAllForwardings: 'yes',
    RemoteCommand: 'none',
    // Host keys are verified whatever ssh's configuration says, and no more are learned than kbs was told to.
    NoHostAuthenticationForLocalhost: 'no',
    UpdateHostKeys: 'no',
  }),
  ...loginWords(options.ssh, options),
];

const settings = (values: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(values).flatMap(([name, value]) => ['-o', `${name}=${value}`]);

/** A connection to the control socket stands as long as the one to the host does: it is how its end is seen. */
const held = async ({ host, socket, ssh }: MasterOptions): Promise<Master> => {
  const watch = await connected(socket);
  let closed = false;
  const said = () => saidIn(socket);
  const gone = new Promise<string>((resolve) => {
    watch.on('close', () => {
      closed = true;
      void said().then((text) => resolve(lastLines(text, 1)[0] ?? 'the host closed the connection'));
    });
  });
  const way = [
    ...['-F', 'none'],
    ...settings({
      ControlPath: withoutTokens(socket),
      ControlMaster: 'no',
      // Without the socket it would connect by itself, with none of the settings.
      ProxyCommand: 'false',
      BatchMode: 'yes',
    }),
  ];
  return {
    client: (logLevel) => [...way, '-T', ...settings({ LogLevel: logLevel }), '--', ssh.address],
    way,
    gone,
    closed: () => closed,
    said,
    async close() {
      if (closed) return;
      await execa('ssh', [...way, '-O', 'exit', '--', ssh.address], {
        stdio: 'ignore',
        reject: false,
        timeout: oneSecond,
      });
      await Promise.race([gone, sleep(oneSecond, undefined, { ref: false })]);
      watch.destroy();
    },
  };

  function connected(path: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket
        .once('connect', () => resolve(socket))
        .once('error', (error) => reject(refused({ host, ssh, said: error.message })))
        // The greeting is not read for what it says.
        .resume();
    });
  }
};

const oneSecond = 1000;

const saidIn = (socket: string): Promise<string> => readFile(`${socket}.log`, 'utf8').catch(() => '');
