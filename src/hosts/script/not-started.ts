import { Failure } from '../../failure.js';

/** The Failure of a host that took the command and did not run the script: sudo, or the login shell, refused. */
export function notStarted(host: string, code: number, stderr: string, stdout: string): Failure {
  const why = lastLines(`${stderr}\n${stdout}`);
  const details = { where: { host }, why: why.length > 0 ? why : [`it ended with status ${code} and no explanation`] };
  if (sudoSpoke.test(stderr)) {
    return new Failure('refused', `${host} does not let its user become root`, {
      ...details,
      next: 'install sudo and allow it without a password (`USER ALL=(ALL) NOPASSWD: ALL` in a file under /etc/sudoers.d), or connect as root with `become: none`',
    });
  }
  return new Failure('refused', `${host} did not run the script it was given`, {
    ...details,
    next: 'see that the user has a login shell and no forced command',
  });
}

const sudoSpoke = /\bsudo\b|^Sorry, user/m;

const lastLines = (text: string): readonly string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-5);
