import { execa } from 'execa';
import type { SshSettings } from '../inventory/cluster.js';

/** A person's own session on a machine, by the system's ssh with exactly these settings; gives its exit status. */
export const interactive = async (settings: SshSettings, command: readonly string[]): Promise<number> => {
  const [file = 'ssh', ...args] = words(settings, command);
  const { exitCode } = await execa(file, args, { stdio: 'inherit', reject: false });
  return exitCode ?? 1;
};

const words = (settings: SshSettings, command: readonly string[]): readonly string[] => {
  if (settings.transport === 'local') return command.length > 0 ? command : [process.env.SHELL ?? 'sh'];
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
    ...command,
  ];
};
