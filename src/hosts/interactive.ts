import { execa } from 'execa';
import { Failure } from '../failure.js';
import type { SshSettings } from '../inventory/cluster.js';

/**
 * A person's own session on a machine, by the system's ssh with exactly these settings; gives its exit status.
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

/** Here as there a shell reads the command as one line. */
const words = (settings: SshSettings, command: readonly string[]): readonly string[] => {
  if (settings.transport === 'local') {
    return command.length > 0 ? ['sh', '-c', command.join(' ')] : [process.env.SHELL ?? 'sh'];
  }
  return [
    'ssh',
    '-p',
    `${settings.port}`,
    '-o',
    `UserKnownHostsFile=${settings.knownHosts}`,
    '-o',
    'StrictHostKeyChecking=yes',
    ...settings.keys.flatMap((key) => ['-i', key]),
    `${settings.user}@${settings.address}`,
    // ssh takes options behind the destination too.
    ...(command.length > 0 ? ['--', ...command] : []),
  ];
};
