import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { SshSettings } from '../../src/inventory/cluster.js';

/** A real sshd of our own on loopback, that lets exactly one key in. */
export interface Sshd {
  readonly port: number;
  /** Path of a known_hosts file that knows this sshd. */
  readonly knownHosts: string;
  /** Path of the private key that is let in. */
  readonly key: string;
  readonly user: string;
  /** Its own folder: host keys such as `host_ed25519` and their `.pub`, `authorized_keys`. It is the home of the user that logs in. */
  readonly dir: string;
  /** Settings that reach it; what `overrides` names is replaced. */
  settings(overrides?: Partial<SshSettings>): SshSettings;
  /** Kills the sshd processes that serve connections, as a crash would, and then what they ran; the listener stays. */
  cut(): void;
  stop(): Promise<void>;
}

export interface SshdOptions {
  /** Where its files go; a temporary folder, removed by `stop`, when absent. */
  readonly dir?: string;
  /** More lines for its sshd_config. */
  readonly config?: readonly string[];
  /** More environment for what it runs. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Lets this user in instead of the one who runs the tests, with `/bin/sh` or the given login shell. It exists only
   * for this sshd, in a mount namespace, which takes root.
   */
  readonly account?: { readonly name: string; readonly shell?: string; readonly password?: string };
  /** Files of /etc that exist only for this sshd and what it runs: texts by path below /etc. Needs an account. */
  readonly files?: Readonly<Record<string, string>>;
  readonly port?: number;
  /** An RSA host key beside the Ed25519 one; to make it takes longer than all the rest. */
  readonly rsa?: boolean;
}

const hostKeyTypes = ({ rsa = false }: SshdOptions): readonly string[] => (rsa ? ['ed25519', 'rsa'] : ['ed25519']);

/** Starts an sshd. Needs openssh-server, and throws where it is missing: a test of SSH that tests nothing is no test. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'kbs-sshd-'));
  mkdirSync(dir, { recursive: true });
  chmodSync(dir, 0o755);
  const user = options.account?.name ?? userInfo().username;
  for (const type of hostKeyTypes(options)) makeKey(join(dir, `host_${type}`), type);
  const key = makeKey(join(dir, 'id_ed25519'), 'ed25519');
  writeFileSync(join(dir, 'authorized_keys'), readFileSync(`${key}.pub`), { mode: 0o644 });
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });

  const { port, child } = await listening(dir, options);
  const knownHosts = join(dir, 'known_hosts');
  const [type, encoded] = readFileSync(join(dir, 'host_ed25519.pub'), 'utf8').split(' ');
  writeFileSync(knownHosts, `[127.0.0.1]:${port} ${type} ${encoded}\n`);

  return {
    port,
    knownHosts,
    key,
    user,
    dir,
    settings: (overrides = {}) => ({
      transport: 'ssh',
      address: '127.0.0.1',
      port,
      user,
      become: 'none',
      keys: [key],
      knownHosts,
      ...overrides,
    }),
    cut() {
      const family = descendants(child.pid);
      for (const pid of family.filter(isSshd)) kill(pid);
      for (const pid of family) kill(pid);
    },
    async stop() {
      const ended = child.exitCode !== null || child.signalCode !== null;
      const exited = ended || new Promise((resolve) => child.once('exit', resolve));
      const family = descendants(child.pid);
      child.kill('SIGTERM');
      for (const pid of family) kill(pid);
      await exited;
      if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Makes a key pair without a passphrase, or with one, and gives the private key's path. */
export function makeKey(path: string, type = 'ed25519', passphrase = '', format = 'RFC4716'): string {
  const bits = type === 'rsa' ? ['-b', '2048'] : [];
  // Old PEM is a format of its own only where -m says so; otherwise ssh-keygen writes OpenSSH's.
  const as = format === 'PEM' ? ['-m', 'PEM'] : [];
  execFileSync('ssh-keygen', ['-q', '-t', type, ...bits, ...as, '-N', passphrase, '-C', 'kbs-test', '-f', path]);
  return path;
}

const program = '/usr/sbin/sshd';

/** Another process may take a port between our asking and our using it: then we ask again. */
async function listening(dir: string, options: SshdOptions): Promise<{ port: number; child: ChildProcess }> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    writeConfig(dir, port, options);
    const child = launch(dir, options);
    const problem = await started(child, port);
    if (problem === undefined) return { port, child };
    if (attempt === 5 || !/in use/.test(problem)) throw new Error(`${program} does not start: ${problem}`);
  }
}

function writeConfig(dir: string, port: number, options: SshdOptions): void {
  const lines = [
    ...(options.config ?? []),
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    ...hostKeyTypes(options).map((type) => `HostKey ${join(dir, `host_${type}`)}`),
    `AuthorizedKeysFile ${join(dir, 'authorized_keys')}`,
    `PidFile ${join(dir, 'sshd.pid')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin yes',
    // HOME: no test depends on the developer's own .bashrc.
    `SetEnv ${Object.entries({ HOME: dir, ...options.env })
      .map((pair) => pair.join('='))
      .join(' ')}`,
    'Subsystem sftp internal-sftp',
  ];
  writeFileSync(join(dir, 'sshd_config'), `${lines.join('\n')}\n`);
}

function launch(dir: string, { account, files = {} }: SshdOptions): ChildProcess {
  const command = [program, '-D', '-e', '-f', join(dir, 'sshd_config')];
  if (account) {
    const hash = account.password === undefined ? '*' : hashOf(account.password);
    const line = `${account.name}:${hash}:4242:4242::/:${account.shell ?? '/bin/sh'}\n`;
    const etc = join(dir, 'etc');
    execFileSync('cp', ['-a', '/etc', etc]);
    const passwd = { passwd: `${readFileSync('/etc/passwd', 'utf8')}${line}` };
    for (const [path, text] of Object.entries({ ...passwd, ...files })) writeFileSync(join(etc, path), text);
    command.unshift('unshare', '-m', 'sh', '-c', 'mount --bind "$0" /etc; exec "$@"', etc);
  }
  const [name = program, ...args] = command;
  return spawn(name, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

const hashOf = (password: string): string =>
  execFileSync('openssl', ['passwd', '-6', '-stdin'], { input: password, encoding: 'utf8' }).trim();

/** Waits until it listens at its own address, the last of its list, ten seconds at most; gives what it said instead. */
const started = (child: ChildProcess, port: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    let said = '';
    const end = (problem?: string): void => {
      clearTimeout(timer);
      resolve(problem);
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      end(`it does not listen on port ${port} after 10 s: ${said}`);
    }, 10_000);
    child.stderr?.on('data', (chunk) => {
      said += chunk;
      if (said.includes(`Server listening on 127.0.0.1 port ${port}`)) end();
    });
    child.once('error', (error) => end(error.message));
    child.once('exit', () => end(said));
  });

/** A TCP port of loopback on which no process listens now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });

/** Every process below one, children before grandchildren. */
function descendants(pid: number | undefined): readonly number[] {
  const parents = readdirSync('/proc')
    .map(Number)
    .filter((each) => each > 0)
    .map((each) => ({ pid: each, parent: parentOf(each) }));
  const below = (parent: number): number[] =>
    parents.filter((each) => each.parent === parent).flatMap((each) => [each.pid, ...below(each.pid)]);
  return pid === undefined ? [] : below(pid);
}

/** The fourth field of proc_pid_stat(5); the second is a name in parentheses that may hold anything. */
function parentOf(pid: number): number | undefined {
  const stat = read(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

const isSshd = (pid: number): boolean => read(`/proc/${pid}/comm`).trim() === 'sshd';

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

const kill = (pid: number): void => {
  // Its group too, where it leads one: that catches a child that was born a moment ago.
  for (const target of [pid, -pid]) {
    try {
      process.kill(target, 'SIGKILL');
    } catch {
      // It ended by itself, or leads no group.
    }
  }
};
