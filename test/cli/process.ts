import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { compiled } from './compiled.js';

const fixture = join(compiled, 'test/cli/fixture/run.js');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs kbs itself to its end in a folder: its sources, as they are now. */
export function kbsIn(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(compiled, 'bin/run.js'), ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, KBS_INVENTORY: undefined, NODE_ENV: 'production', ...env },
  });
  return { code: status, stdout, stderr };
}

/** A real process of the fixture's command line and what it says until now. */
export function started(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [fixture, ...args], {
    // The test runner's own NODE_ENV would put oclif into its development mode.
    env: { ...process.env, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return follow(child);
}

/** Runs to its end. */
export const ran = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> => started(args, env).ended;

/** Runs on a real terminal of 100 columns and 40 rows; everything it draws comes back as stdout. */
export function ranOnTerminal(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const words = [process.execPath, fixture, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', `stty cols 100 rows 40; ${words}`, '/dev/null'], {
    env: { ...process.env, NODE_ENV: 'production', TERM: 'xterm-256color', CI: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return follow(child).ended;
}

function follow(child: ChildProcess) {
  let stdout = '';
  let stderr = '';
  const waiting: (() => void)[] = [];
  child.stdout?.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr?.on('data', (chunk) => {
    stderr += String(chunk);
    for (const check of waiting) check();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  /** Until stderr holds the text. */
  const said = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (stderr.includes(text)) resolve();
      };
      waiting.push(check);
      check();
    });
  return { child, ended, said };
}
