import { Failure } from '../../failure.js';

/** The Failure of a machine that has no ssh, or cannot start it. */
export const cannotStart = (file: string, cause: unknown): Failure =>
  new Failure('preflight', `this machine could not start ${file}`, {
    why: cause instanceof Error ? [cause.message] : [],
    next:
      file === 'ssh'
        ? 'install an ssh client (on Debian the package openssh-client)'
        : 'see whether it is installed here',
    cause,
  });
