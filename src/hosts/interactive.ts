import { execa } from 'execa';
import type { SshSettings } from '../inventory/cluster.js';
import { cannotStart } from './openssh/program.js';
import { loginWords } from './openssh/words.js';

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

/** Here as there a shell reads the command as one line. */
const words = (settings: SshSettings, command: readonly string[]): readonly string[] => {
  if (settings.transport === 'local') {
    return command.length > 0 ? ['sh', '-c', '--', command.join(' ')] : [process.env.SHELL ?? 'sh'];
  }
  return ['ssh', ...loginWords(settings), ...command];
};
