import { Failure } from '../../failure.js';
import type { SshSettings } from '../../inventory/cluster.js';
import { quote } from '../shell.js';
import type { HandshakeError } from './handshake.js';
import type { HostKeyCheck } from './host-key.js';
import type { Identities } from './identities.js';

export interface Attempt {
  readonly host: string;
  readonly ssh: SshSettings;
  readonly hostKey: HostKeyCheck;
  readonly identities: Identities;
}

/** Turns whatever a connection attempt ended with into the one Failure that says why and what to do. */
export const explain =
  (attempt: Attempt) =>
  (error: HandshakeError): never => {
    throw attempt.hostKey.failure() ?? (error instanceof Failure ? error : reasoned(attempt, error));
  };

function reasoned({ host, ssh, hostKey, identities }: Attempt, error: HandshakeError): Failure {
  const place = `${ssh.address}:${ssh.port}`;
  if (/no matching host key/.test(error.message)) return hostKey.mismatch();
  if (isDenied(error)) {
    return new Failure('unreachable', `${host} does not let ${ssh.user} in at ${place}`, {
      where: { host, address: ssh.address },
      why: [error.message, ...(error.remarks ?? []), ...tried(identities)],
      next: `try \`ssh -p ${ssh.port} ${quote(`${ssh.user}@${ssh.address}`)}\`; the public key belongs in that user's ~/.ssh/authorized_keys`,
      cause: error,
    });
  }
  return new Failure('unreachable', `cannot connect to ${host} at ${place}`, {
    where: { host, address: ssh.address },
    why: [error.message],
    next: advice(error),
    cause: error,
  });
}

/** OpenSSH also just hangs up after MaxAuthTries. */
const isDenied = (error: HandshakeError): boolean =>
  error.level === 'client-authentication' || /authentication failures/i.test(error.message);

const tried = ({ keys, agent, locked }: Identities): readonly string[] => [
  ...keys.map(({ path }) => `tried the key ${path}`),
  ...(agent === undefined ? ['no ssh-agent is running'] : [`tried the keys of the ssh-agent at ${agent}`]),
  ...locked.map((path) => `${path} is protected by a passphrase, so only an agent that holds it can use it`),
];

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
    /lost before handshake/i.test(failure.cause.message)
  );
}

const codeOf = (error: Error): string => ('code' in error ? String(error.code) : '');
