import { Failure } from '../../failure.js';
import type { SshSettings } from '../../inventory/cluster.js';
import { SecretNeeded } from '../secrets.js';
import { quote } from '../shell.js';
import type { HandshakeError } from './handshake.js';
import type { HostKeyCheck } from './host-key.js';
import type { Identities } from './identities.js';
import { jumpText, placeOf } from './jump-text.js';

export interface Attempt {
  readonly host: string;
  readonly ssh: SshSettings;
  readonly hostKey: HostKeyCheck;
  readonly identities: Identities;
  /** Milliseconds that it had. */
  readonly timeout: number;
}

/** Turns whatever a connection attempt ended with into the one Failure that says why and what to do. */
export const explain =
  (attempt: Attempt) =>
  (error: HandshakeError): never => {
    if (error instanceof SecretNeeded) throw error;
    throw attempt.hostKey.failure() ?? (error instanceof Failure ? error : reasoned(attempt, error));
  };

function reasoned(attempt: Attempt, error: HandshakeError): Failure {
  const common = /no matching (?:[CS]->[CS] )?(key exchange|host key|cipher|MAC|compression)/.exec(error.message)?.[1];
  if (common === 'host key') return attempt.hostKey.mismatch();
  if (common !== undefined) return nothingInCommon(attempt, common, error);
  if (isDenied(error)) return denied(attempt, error);
  if (error.level === 'client-timeout') return tooSlow(attempt, error);
  return failure(
    attempt,
    `cannot connect to ${attempt.host} at ${placeOf(attempt.ssh)}`,
    [error.message],
    advice(error),
    error,
  );
}

const failure = ({ host, ssh }: Attempt, what: string, why: readonly string[], next: string, cause: Error): Failure =>
  new Failure('unreachable', what, { where: { host, address: ssh.address }, why, next, cause });

const throughJump = ({ jump = [] }: SshSettings): string => (jump.length > 0 ? `-J ${quote(jumpText(jump))} ` : '');

/** OpenSSH also just hangs up after MaxAuthTries. */
const isDenied = (error: HandshakeError): boolean => error.level === 'client-authentication' || isTooMany(error);

const isTooMany = (error: HandshakeError): boolean => /authentication failures/i.test(error.message);

function denied(attempt: Attempt, error: HandshakeError): Failure {
  const { host, ssh, identities } = attempt;
  const place = placeOf(attempt.ssh);
  const tried = [
    ...(error.remarks ?? []),
    ...identities.remarks,
    ...(error.login?.passwordRefused() ? ['the password was refused; it was tried once'] : []),
  ];
  const methods = error.login?.methods() ?? [];
  const taken = error.login?.taken();
  if (taken !== undefined) {
    return failure(
      attempt,
      `${host} takes ${taken} and wants more before it lets ${ssh.user} in at ${place}`,
      [`it asks for ${methods.join(' or ')} besides the key (AuthenticationMethods in its sshd_config)`, ...tried],
      `${passwordAdvice(attempt)}; for a second factor, have your own ssh log in, which asks: ssh: { transport: openssh }; or let the key alone be enough for ${ssh.user}: AuthenticationMethods publickey`,
      error,
    );
  }
  if (isTooMany(error)) {
    return failure(
      attempt,
      `${host} hung up before the right key was offered to let ${ssh.user} in at ${place}`,
      [error.message, ...tried],
      'name the right key first in `ssh.key`: named keys are offered before all others of the agent; or raise MaxAuthTries in its sshd_config',
      error,
    );
  }
  const what = `${host} does not let ${ssh.user} in at ${place}`;
  if (methods.length > 0 && !methods.includes('publickey')) {
    return failure(
      attempt,
      what,
      [`it takes ${methods.join(' or ')}, and no keys`, ...tried],
      `${passwordAdvice(attempt)}; or allow keys in its sshd_config: PubkeyAuthentication yes`,
      error,
    );
  }
  const [certificate] = identities.certificates;
  if (certificate !== undefined) {
    return failure(
      attempt,
      what,
      [error.message, ...tried, `${certificate} is a certificate, and the SSH of kbs does not support certificates`],
      "have your own ssh log in, which uses it: ssh: { transport: openssh }; or put the public key itself into that user's ~/.ssh/authorized_keys",
      error,
    );
  }
  return failure(
    attempt,
    what,
    [error.message, ...tried],
    `try \`ssh ${throughJump(ssh)}-p ${ssh.port} ${quote(`${ssh.user}@${ssh.address}`)}\`; the public key belongs in that user's ~/.ssh/authorized_keys`,
    error,
  );
}

const passwordAdvice = ({ ssh }: Attempt): string =>
  ssh.password === undefined
    ? 'log in with a password, too: ssh: { password: ask }'
    : 'give the password on a terminal, where kbs asks, or in KBS_SSH_PASSWORD';

function nothingInCommon(attempt: Attempt, kind: string, error: HandshakeError): Failure {
  const { setting, usual } = settings[kind] ?? { setting: 'Compression', usual: 'no' };
  return failure(
    attempt,
    `${attempt.host} at ${placeOf(attempt.ssh)} and kbs have no ${kind} algorithm in common`,
    [error.message, 'its sshd allows only what kbs does not support; your own ssh may support more'],
    `have your own ssh log in: ssh: { transport: openssh }; or allow one more in its sshd_config, such as: ${setting} ${usual}`,
    error,
  );
}

/** What every sshd of the last ten years knows; the plus adds it to the default. See sshd_config(5). */
const settings: Readonly<Record<string, { readonly setting: string; readonly usual: string }>> = {
  'key exchange': { setting: 'KexAlgorithms', usual: '+curve25519-sha256' },
  cipher: { setting: 'Ciphers', usual: '+aes256-gcm@openssh.com,aes256-ctr' },
  MAC: { setting: 'MACs', usual: '+hmac-sha2-256-etm@openssh.com' },
};

const tooSlow = (attempt: Attempt, error: HandshakeError): Failure =>
  error.exchanged
    ? failure(
        attempt,
        `${attempt.host} did not finish the login of ${attempt.ssh.user} at ${placeOf(attempt.ssh)} within ${attempt.timeout / 1000} s`,
        [...(error.remarks ?? []), 'a directory of users (LDAP) or a DNS lookup of that host may be slow'],
        'see why the host is slow at logins, or give it more seconds in the inventory: ssh: { timeout: 60 }',
        error,
      )
    : failure(
        attempt,
        `${attempt.host} takes a connection at ${placeOf(attempt.ssh)}, and did not speak SSH within ${attempt.timeout / 1000} s`,
        [error.message],
        'see that sshd listens at that port and that the machine is not overloaded; a slow one gets more seconds in the inventory: ssh: { timeout: 60 }',
        error,
      );

const advice = (error: HandshakeError): string => {
  switch (codeOf(error)) {
    case 'ECONNREFUSED':
      return 'see that sshd runs there, and listens at that port';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the name does not resolve here: use an address, or correct the DNS';
    default:
      return 'see that the machine is up, that its address is right, and that no firewall is in the way';
  }
};

/** Whether a connection was refused or cut before the host said anything, so that it is worth another try. */
export function isTransient(failure: unknown): boolean {
  if (!(failure instanceof Failure) || !(failure.cause instanceof Error)) return false;
  return (
    ['ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(codeOf(failure.cause)) ||
    /lost before handshake|channel open failure: connection refused|no response from server/i.test(
      failure.cause.message,
    )
  );
}

const codeOf = (error: Error): string => ('code' in error ? String(error.code) : '');
