import { constants, userInfo } from 'node:os';
import { finished } from 'node:stream/promises';
import { execa } from 'execa';
import { Failure } from '../failure.js';
import type { SshSettings } from '../inventory/cluster.js';
import { asRoot } from './become.js';
import type { RemoteProcess, Spawn } from './script/run.js';
import type { OperatorSecrets } from './secrets.js';

/** Starts scripts on this very machine, with the environment of a fresh login and not the operator's own. */
export function spawnLocally(host: string, become: SshSettings['become'], secrets: OperatorSecrets): Spawn {
  const user = isRoot() ? 'root' : userInfo().username;
  const run = async (command: string) => spawn(host, ['sh', '-c', `exec ${command}`]);
  return asRoot(run, { host, user, become, secrets });
}

const isRoot = (): boolean => process.getuid?.() === 0;

function spawn(host: string, [program = 'sh', ...args]: readonly string[]): RemoteProcess {
  const child = execa(program, args, {
    stdin: 'pipe',
    buffer: false,
    reject: false,
    encoding: 'buffer',
    extendEnv: false,
    env: loginEnvironment(),
    // Its own process group: an interruption at the terminal goes to kbs, which ends the command in its own way.
    detached: true,
  });
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    ended: Promise.all([child, closed(child.stdout), closed(child.stderr)]).then(([result]) => {
      if (result.exitCode !== undefined) return result.exitCode;
      if (result.signal !== undefined) return 128 + constants.signals[result.signal];
      throw new Failure('refused', `${host} cannot start ${program}`, {
        where: { host },
        why: [result.originalMessage ?? result.message ?? 'no reason was given'],
        cause: result.cause,
      });
    }),
    abandon() {
      child.kill('SIGKILL');
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
      child.unref();
    },
  };
}

const closed = (stream: NodeJS.ReadableStream): Promise<void> => finished(stream).catch(() => {});

const loginEnvironment = (): Record<string, string> => ({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: process.env.HOME ?? '/',
  USER: process.env.USER ?? 'root',
});
