import { execa } from 'execa';
import { Failure } from '../failure.js';
import type { SshSettings } from '../inventory/cluster.js';
import { jumpText } from './ssh/jump-text.js';

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
  const { jump = [] } = settings;
  return [
    'ssh',
    '-p',
    `${settings.port}`,
    '-o',
    `UserKnownHostsFile=${[settings.knownHosts, ...(settings.moreKnownHosts ?? [])].map(configWord).join(' ')}`,
    ...(settings.hostKeyAlias === undefined ? [] : ['-o', `HostKeyAlias=${settings.hostKeyAlias}`]),
    ...(jump.length === 0 ? [] : ['-J', jumpText(jump)]),
    '-o',
    'StrictHostKeyChecking=yes',
    '-o',
    // Where an address swallows packets, the system gives up after two minutes.
    `ConnectTimeout=${settings.timeout ?? 10}`,
    ...settings.keys.flatMap((key) => ['-i', withoutTokens(key)]),
    '-l',
    settings.user,
    '--',
    settings.address,
    ...command,
  ];
};

/** One word of ssh_config(5): with a space in it, it would be two files. */
const configWord = (path: string): string => {
  const word = withoutTokens(path);
  return /[\s"'\\]/.test(word) ? `"${word.replace(/["\\]/g, '\\$&')}"` : word;
};

/** See TOKENS in ssh_config(5). */
const withoutTokens = (path: string): string => path.replaceAll('%', '%%');
