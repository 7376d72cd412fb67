import { Failure } from '../../failure.js';
import { lastLines } from '../last-lines.js';
import { swallowed } from './frame.js';

/** The Failure of a host that took the command and did not run the script: the login shell refused, or sudo did. */
export function notStarted(host: string, code: number, stderr: string, stdout: string): Failure {
  const why = lastLines(`${stderr}\n${stdout}`, 5);
  const details = { where: { host }, why: why.length > 0 ? why : [`it ended with status ${code} and no explanation`] };
  if (stderr.includes(swallowed)) {
    return new Failure('refused', `a program on ${host} read a part of the script before it ran; nothing of it ran`, {
      ...details,
      next: 'let what the login shell runs read stdin only on a terminal: `[ -t 0 ] || return` at the top of the .bashrc, .cshrc or config.fish',
    });
  }
  return new Failure('refused', `${host} did not run the script it was given`, {
    ...details,
    next: 'see that the user has a login shell and no forced command',
  });
}
