import { readFile } from 'node:fs/promises';
import ssh2 from 'ssh2';
import { Failure } from '../../failure.js';
import { messageOf } from '../message.js';
import { quote } from '../shell.js';

/** What kbs logs in with: private keys first, then whatever the agent holds. */
export interface Identities {
  readonly keys: readonly { readonly path: string; readonly text: Buffer }[];
  /** Path of the agent's socket. */
  readonly agent: string | undefined;
  /** Keys that only an agent can use, because a passphrase protects them. */
  readonly locked: readonly string[];
}

/** Reads private keys, OpenSSH or PEM. Throws a Failure for a key that cannot be used, and where there is nothing to use at all. */
export async function readIdentities(
  host: string,
  paths: readonly string[],
  agent: string | undefined,
): Promise<Identities> {
  const read = await Promise.all(paths.map((path) => readKey(host, path)));
  const locked = read.filter((key) => key.locked).map((key) => key.path);
  if (agent === undefined && locked[0] !== undefined) throw needsAgent(host, locked[0]);
  if (agent === undefined && read.length === 0) throw nothing(host);
  return { keys: read.filter((key) => !key.locked), agent, locked };
}

async function readKey(host: string, path: string): Promise<{ path: string; text: Buffer; locked: boolean }> {
  const text = await readFile(path).catch((cause) => {
    throw new Failure('unreachable', `cannot read the private key ${path}`, {
      where: { host },
      why: [messageOf(cause)],
      next: 'correct `ssh.key` in the inventory, or make the file readable',
      cause,
    });
  });
  const parsed = ssh2.utils.parseKey(text);
  if (!(parsed instanceof Error)) {
    if ([parsed].flat().some((key) => key.isPrivateKey())) return { path, text, locked: false };
    throw unusable(host, path, 'it is a public key');
  }
  if (/no passphrase given/.test(parsed.message)) return { path, text, locked: true };
  throw unusable(host, path, parsed.message);
}

const unusable = (host: string, path: string, why: string): Failure =>
  new Failure('unreachable', `${path} is not a private key that kbs can use`, {
    where: { host },
    why: [why],
    next: 'name an OpenSSH or PEM private key in `ssh.key`',
  });

const needsAgent = (host: string, path: string): Failure =>
  new Failure('unreachable', `the private key ${path} is protected by a passphrase`, {
    where: { host },
    why: ['kbs asks for no passphrases, and no ssh-agent is running (SSH_AUTH_SOCK is not set)'],
    next: `give it to an agent: eval "$(ssh-agent)"; ssh-add ${quote(path)}`,
  });

const nothing = (host: string): Failure =>
  new Failure('unreachable', `there is no key to log in to ${host} with`, {
    where: { host },
    why: ['the inventory names no `ssh.key`, and no ssh-agent is running (SSH_AUTH_SOCK is not set)'],
    next: 'name a private key in the inventory, or start an agent and add one',
  });
