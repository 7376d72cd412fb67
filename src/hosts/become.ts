import { Failure } from '../failure.js';
import type { SshSettings } from '../inventory/cluster.js';
import type { Secret } from '../secret.js';
import { lastLines } from './last-lines.js';
import { readerCommand, swallowed } from './script/frame.js';
import { readToEnd } from './script/output.js';
import type { RemoteProcess, Spawn } from './script/run.js';
import type { OperatorSecrets } from './secrets.js';

/** How a script becomes root's. */
interface Elevation {
  /** What stands before `/bin/sh -c`, as a shell reads it. */
  readonly prefix: string;
  /** A first line for stdin, which sudo reads. */
  readonly password?: Secret;
}

/** The user of a host who is to become root. */
export interface Becoming {
  readonly host: string;
  readonly user: string;
  readonly become: SshSettings['become'];
  readonly secrets: OperatorSecrets;
}

/** How the user becomes root; root needs nothing. The user is known only after ssh's own configuration was asked. */
export const elevationOf = ({ become, user }: Pick<SshSettings, 'become' | 'user'>): SshSettings['become'] =>
  user === 'root' ? 'none' : become;

/** Starts a command line of the user's. */
type Run = (command: string) => Promise<RemoteProcess>;

/** Starts the reader of scripts as root. How the user becomes root is found out before the first script, once. */
export function asRoot(run: Run, becoming: Becoming): Spawn {
  let root: Promise<Elevation> | undefined;
  return async () => {
    root ??= becomeRoot(run, becoming);
    const { prefix, password } = await root;
    const running = await run(readerCommand(prefix));
    if (password !== undefined) running.stdin.write(`${password.reveal()}\n`);
    return running;
  };
}

/**
 * Finds out how the user becomes root, by trying it with no script: by the very command line of all scripts, so that a
 * rule for that one is enough. A password is asked for where sudo wants one, and tried once. Throws a Failure where it
 * cannot be done.
 */
async function becomeRoot(run: Run, becoming: Becoming): Promise<Elevation> {
  const { host, user, secrets } = becoming;
  const become = elevationOf(becoming);
  if (become === 'none') return { prefix: '' };
  const prefix = `${become} -n `;
  const { isRoot, code, said } = await answerOf(run, prefix, host);
  if (isRoot) return { prefix };
  if (become === 'doas' || !wantsPassword.test(said)) throw refused(becoming, code, said);
  const password = await secrets.get('sudo', user);
  if (password === undefined) throw refused(becoming, code, said);
  const verdict = await secrets.prove(password, async () => {
    const answer = await answerOf(run, withPassword, host, password);
    if (!answer.isRoot && !isWrong.test(answer.said)) throw refused(becoming, answer.code, answer.said);
    return answer.isRoot;
  });
  if (verdict !== 'taken') throw wrongPassword(becoming, verdict);
  return { prefix: withPassword, password };
}

/** `-k`: without a ticket of an earlier sudo the password is always read, and never left to the script. */
const withPassword = "sudo -k -S -p '' ";

/** sudo's own words, and those of sudo-rs. */
const wantsPassword = /password is required|authentication (is )?required/i;

const isWrong = /incorrect password|incorrect authentication|no password was provided|authentication fail/i;

/**
 * In the C locale: sudo's words are read. The end of stdin follows the password, so sudo asks no second time, and the
 * reader, once it is root, says that there is no script.
 */
async function answerOf(run: Run, prefix: string, host: string, password?: Secret) {
  const running = await run(`env LC_ALL=C ${readerCommand(prefix)}`);
  const stderr = readToEnd(running.stderr);
  running.stdout.resume();
  running.stdin.on('error', () => {}).end(password === undefined ? '' : `${password.reveal()}\n`);
  const code = await inTime(running, host);
  const said = stderr();
  return { isRoot: said.includes(swallowed), code, said };
}

const inTime = async (running: RemoteProcess, host: string): Promise<number> => {
  const late = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => {
      running.abandon();
      reject(tooSlow(host));
    }, oneMinute);
    running.ended.finally(() => clearTimeout(timer)).catch(() => {});
  });
  return Promise.race([running.ended, late]);
};

const oneMinute = 60_000;

const tooSlow = (host: string): Failure =>
  new Failure('timeout', `sudo did not answer on ${host} within a minute`, {
    where: { host },
    next: 'see what keeps it: it may ask a directory of users or the DNS, which do not answer',
  });

const wrongPassword = ({ host, user }: Becoming, verdict: 'refused' | 'refused elsewhere'): Failure =>
  new Failure('refused', `the sudo password of ${user} is wrong`, {
    where: { host },
    why: [
      verdict === 'refused'
        ? `${host} refused it; it was tried once`
        : 'another host refused it; it was not tried here',
    ],
    next: 'run it again with the right one: asked on a terminal, or in KBS_SUDO_PASSWORD',
  });

function refused({ host, become }: Becoming, code: number, said: string): Failure {
  const lines = lastLines(said, 5);
  return new Failure('refused', `${host} does not let its user become root`, {
    where: { host },
    why: lines.length > 0 ? lines : [`${become} ended with status ${code} and no explanation`],
    next: become === 'doas' ? doasAdvice : sudoAdvice(said),
  });
}

const sudoAdvice = (said: string): string => {
  if (/must have a tty/.test(said)) {
    return 'allow sudo without a terminal: `Defaults:USER !requiretty` in a file under /etc/sudoers.d, or connect as root with `become: none`';
  }
  const without = 'allow it without a password (`kbs sudoers` prints the rule)';
  return wantsPassword.test(said)
    ? `give the password in KBS_SUDO_PASSWORD, or run kbs on a terminal, where it asks; or ${without}`
    : `install sudo and ${without}, or connect as root with \`become: none\``;
};

const doasAdvice =
  'doas asks for a password only on a terminal, which kbs has not there: write `permit nopass USER as root` into /etc/doas.conf, or use `become: sudo`';
