import { Failure } from '../../failure.js';
import type { SshSettings } from '../../inventory/cluster.js';
import { lastLines } from '../last-lines.js';
import { quote } from '../shell.js';
import { placeOf } from '../ssh/jump-text.js';
import { knownName } from '../ssh/known-hosts.js';

/** A login that ssh ended without a connection. */
export interface Refusal {
  readonly host: string;
  readonly ssh: SshSettings;
  /** All that ssh wrote. */
  readonly said: string;
  /** Milliseconds after which it was given up. */
  readonly late?: number | undefined;
  /** Whether ssh could ask the operator. */
  readonly canAsk?: boolean;
}

/** The one Failure that says why, in the words of ssh, and what to do next. */
export const refused = (refusal: Refusal): Failure => {
  const { host, ssh, said, late } = refusal;
  if (late !== undefined) {
    return failure(
      refusal,
      `ssh did not log in to ${host} at ${placeOf(ssh)} within ${late / 1000} s`,
      'see what it waits for with `kbs ssh`, or give it more seconds in the inventory: ssh: { timeout: 60 }',
    );
  }
  const [, what, next] = reasons.find(([pattern]) => pattern.test(said)) ?? other;
  return failure(refusal, what(host, placeOf(ssh), ssh), next(refusal));
};

const failure = ({ host, ssh, said }: Refusal, what: string, next: string): Failure =>
  new Failure('unreachable', what, {
    where: { host, address: ssh.address },
    why: lastLines(said, 5).map((line) => `ssh: ${line}`),
    next,
    cause: new Error(said),
  });

type Reason = readonly [
  said: RegExp,
  what: (host: string, place: string, ssh: SshSettings) => string,
  next: (refusal: Refusal) => string,
];

const forget = ({ ssh, said }: Refusal): string => {
  const [, file] = /Offending .* key in (.*):\d+/.exec(said) ?? [];
  const name = quote(ssh.hostKeyAlias ?? knownName(ssh.address, ssh.port));
  return `if it was installed anew, forget the old key with \`ssh-keygen ${file === undefined ? '' : `-f ${quote(file)} `}-R ${name}\` and connect again`;
};

/** The first one that fits. Patterns are words of OpenSSH, which are the same in all languages. */
const reasons: readonly Reason[] = [
  [
    /marked as revoked|key for .* was revoked/i,
    (host, place) => `REVOKED HOST KEY: ${host} at ${place} shows a key that must not be used`,
    () => 'give the machine a new host key: its private half may be in other hands',
  ],
  [
    /host key for .* has changed|HOST IDENTIFICATION HAS CHANGED/,
    (host, place) => `HOST KEY CHANGED: ${host} at ${place} is not the machine that is known`,
    forget,
  ],
  [
    /No .* host key is known for/,
    (host, place) => `${host} at ${place} shows a host key that is not known`,
    () =>
      'compare it with `ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub` on the machine itself; if it is the same, --accept-new-host-keys learns it',
  ],
  [
    /Permission denied|Too many authentication failures/,
    (host, place, { user }) => `${host} does not let ${user} in at ${place}`,
    ({ canAsk }) =>
      canAsk
        ? 'see why with `kbs ssh`, which uses the same settings'
        : 'run kbs on a terminal, where ssh asks for a password or a second factor; or see what is missing with `kbs ssh`, which uses the same settings',
  ],
  [
    /Bad configuration option|bad configuration options|Bad owner or permissions on/i,
    () => 'the configuration of ssh on this machine cannot be read',
    () => 'correct ~/.ssh/config, or have kbs ignore it: ssh: { config: none }',
  ],
  [
    /no matching .* found/i,
    (host, place) => `${host} at ${place} and ssh have no algorithm in common`,
    () => 'allow one more for this host in ~/.ssh/config or in its sshd_config',
  ],
  [
    /Could not resolve hostname/,
    (host, place) => `cannot connect to ${host} at ${place}`,
    () => 'the name does not resolve here: use an address, or correct the DNS',
  ],
];

const other: Reason = [
  /./,
  (host, place) => `cannot connect to ${host} at ${place}`,
  () =>
    'see that the machine is up, that its address is right, and that what leads to it works: `kbs ssh` uses the same settings',
];

/** Whether a host let the user not in, who may have more to say where ssh can ask. */
export const isDenied = (error: unknown): boolean => /Permission denied \(/.test(saidBy(error));

/** Whether a connection was refused or cut before the host said anything, so that it is worth another try. */
export const isTransient = (error: unknown): boolean =>
  /Connection (refused|reset)|kex_exchange_identification|banner exchange/.test(saidBy(error));

const saidBy = (error: unknown): string =>
  error instanceof Failure && error.cause instanceof Error ? error.cause.message : '';
