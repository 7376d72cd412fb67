import { sh } from '../../hosts/shell.js';
import { shell } from '../shell.js';
import type { HostSpec } from '../spec.js';
import { sshCommand } from '../ssh.js';

/** Runs a command line on a guest, as root, and gives its stdout; a guest that stops meanwhile is not waited for. */
export const onGuest = (state: string, host: HostSpec, command: string): Promise<string> => {
  const [ssh = '', ...rest] = sshCommand(state, host, 'root');
  const limits = ['-o', 'ConnectTimeout=30', '-o', 'ServerAliveInterval=10', '-o', 'ServerAliveCountMax=3'];
  return shell(`asking ${host.name}`, sh`${[ssh, ...limits, ...rest, command]} </dev/null`);
};
