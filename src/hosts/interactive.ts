import { execa } from 'execa';
import { Failure } from '../failure.js';
import type { SshLogin, SshSettings } from '../inventory/cluster.js';
import { quote } from './shell.js';

/**
 * A session on a machine for the operator, by the system's ssh with exactly these settings; gives its exit status.
 * Throws a Failure where there is no such program.
 */
export const interactive = async (settings: SshSettings, command: readonly string[]): Promise<number> => {
  const [file = 'ssh', ...args] = words(settings, command);
  const { exitCode, code, cause } = await execa(file, args, { stdio: 'inherit', reject: false });
  if (code !== undefined) throw cannotStart(file, cause);
  return exitCode ?? 1;
};

const cannotStart = (file: string, cause: unknown): Failure =>
  new Failure('preflight', `this machine could not start ${file}`, {
    why: cause instanceof Error ? [cause.message] : [],
    next:
      file === 'ssh'
        ? 'install an ssh client (on Debian the package openssh-client)'
        : 'see whether it is installed here',
    cause,
  });

/** Here as there a shell reads the command as one line. No value of the inventory stands where ssh looks for options. */
const words = (settings: SshSettings, command: readonly string[]): readonly string[] => {
  if (settings.transport === 'local') {
    return command.length > 0 ? ['sh', '-c', '--', command.join(' ')] : [process.env.SHELL ?? 'sh'];
  }
  return ['ssh', ...loginOptions(settings), ...proxyOf(settings.jump), '--', settings.address, ...command];
};

/** How ssh logs in to one machine. */
const loginOptions = (login: SshLogin): readonly string[] => [
  '-p',
  `${login.port}`,
  '-o',
  `UserKnownHostsFile=${[login.knownHosts, ...(login.moreKnownHosts ?? [])].map(configWord).join(' ')}`,
  ...(login.hostKeyAlias === undefined ? [] : ['-o', `HostKeyAlias=${login.hostKeyAlias}`]),
  '-o',
  'StrictHostKeyChecking=yes',
  '-o',
  // Where an address swallows packets, the system gives up after two minutes.
  `ConnectTimeout=${login.timeout ?? 10}`,
  // `-i` would look for the file under its name with tokens in it.
  ...login.keys.flatMap((key) => ['-o', `IdentityFile=${configWord(key)}`]),
  '-l',
  login.user,
];

/** As `-J`, which hands on neither keys nor known hosts. */
const proxyOf = (jump: readonly SshLogin[] = []): readonly string[] => {
  const last = jump.at(-1);
  if (last === undefined) return [];
  const before = ['ssh', ...loginOptions(last), ...proxyOf(jump.slice(0, -1))].map((word) =>
    withoutTokens(quote(word)),
  );
  return ['-o', `ProxyCommand=${[...before, '-W', "'[%h]:%p'", '--', withoutTokens(quote(last.address))].join(' ')}`];
};

/** One word of ssh_config(5): with a space in it, it would be two files. */
const configWord = (path: string): string => {
  const word = withoutTokens(path);
  return /[\s"'\\]/.test(word) ? `"${word.replace(/["\\]/g, '\\$&')}"` : word;
};

/** See TOKENS in ssh_config(5). */
const withoutTokens = (path: string): string => path.replaceAll('%', '%%');
