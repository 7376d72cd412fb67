import { existsSync } from 'node:fs';
import type { ParsedKey } from 'ssh2';
import { Failure } from '../../failure.js';
import type { SshSettings } from '../../inventory/cluster.js';
import { type OperatorSecrets, SecretNeeded } from '../secrets.js';
import { quote } from '../shell.js';
import { type Agent, askAgent } from './agent.js';
import { type KeyFile, readKeyFile } from './key-file.js';
import type { Offer } from './offer.js';

/** What kbs logs in with: the named keys in their order, then whatever else the agent holds. */
export interface Identities {
  readonly offers: readonly Offer[];
  /** What these are, and which keys could not be offered: for the reader of a failure. */
  readonly remarks: readonly string[];
  /** Certificates that lie beside the named keys; kbs does not use them. */
  readonly certificates: readonly string[];
}

/** Where the keys of a login come from. */
export interface IdentitySources {
  readonly host: string;
  readonly ssh: Pick<SshSettings, 'keys' | 'onlyKeys' | 'password'>;
  /** Path of the agent's socket. */
  readonly agent: string | undefined;
  readonly secrets: OperatorSecrets;
}

/**
 * Reads the named keys and asks the agent for its own. A key that a passphrase protects is used through the agent; where
 * that does not hold it, the passphrase is asked once a host takes the key: `sign` then throws SecretNeeded. Throws a
 * Failure for a key that cannot be used, and where there is nothing to log in with at all.
 */
export async function readIdentities({ host, ssh, agent, secrets }: IdentitySources): Promise<Identities> {
  const files = await Promise.all(ssh.keys.map((path) => readKeyFile(host, path)));
  const held = agent === undefined ? undefined : await askAgent(agent);
  const named = await Promise.all(files.map((file) => offerOf(file, held, secrets)));
  const offered = named.filter((offer) => typeof offer !== 'string');
  const unusable = named.filter((offer) => typeof offer === 'string');
  const others = (ssh.onlyKeys ? [] : (held?.offers ?? [])).filter(
    (other) => !offered.some((offer) => isSame(offer, other)),
  );
  const whatIsHeld = held?.remark ?? 'no ssh-agent is running (SSH_AUTH_SOCK is not set)';
  if (offered.length + others.length === 0 && ssh.password === undefined) {
    const [file] = files;
    if (file) throw locked(host, file, [...unusable, whatIsHeld]);
    if (held === undefined) throw nothing(host);
  }
  return {
    offers: [...offered, ...others],
    remarks: [...offered.map(({ name }) => `tried ${name}`), whatIsHeld, ...unusable],
    certificates: ssh.keys.map((path) => `${path}-cert.pub`).filter((path) => existsSync(path)),
  };
}

/** A file's key as an offer, or why it cannot be one. */
async function offerOf(file: KeyFile, agent: Agent | undefined, secrets: OperatorSecrets): Promise<Offer | string> {
  const name = `the key ${file.path}`;
  if (file.kind === 'private') return privateOffer(name, file.key);
  const { path, publicKey } = file;
  const held = publicKey && agent?.offers.find((offer) => isSame(offer, { key: publicKey }));
  if (held) return { ...held, name };
  if (file.kind === 'public') return `${path} is a public key, and the agent does not hold the private one`;
  const known = secrets.known('passphrase', path);
  if (!known && publicKey) {
    return { name, key: publicKey, sign: async () => Promise.reject(new SecretNeeded('passphrase', path)) };
  }
  const passphrase = await (known ?? secrets.get('passphrase', path));
  if (!passphrase) return `${path} is protected by a passphrase, and no agent holds it`;
  const key = file.unlock(passphrase);
  return key ? privateOffer(name, key) : `${path} is protected by another passphrase than the one that was given`;
}

const privateOffer = (name: string, key: ParsedKey): Offer => ({
  name,
  key,
  sign: async (data, hash) => key.sign(data, hash),
});

const isSame = (one: Pick<Offer, 'key'>, other: Pick<Offer, 'key'>): boolean =>
  one.key.getPublicSSH().equals(other.key.getPublicSSH());

const locked = (host: string, { kind, path }: KeyFile, why: readonly string[]): Failure =>
  kind === 'public'
    ? new Failure('unreachable', `${path} is not a private key that kbs can use`, {
        where: { host },
        why,
        next: 'name the private key in `ssh.key`, or start an agent that holds it',
      })
    : new Failure('unreachable', `the private key ${path} is protected by a passphrase`, {
        where: { host },
        why,
        next: `run kbs on a terminal, where it asks; or set KBS_SSH_PASSPHRASE; or give the key to an agent: eval "$(ssh-agent)"; ssh-add ${quote(path)}`,
      });

const nothing = (host: string): Failure =>
  new Failure('unreachable', `there is no key to log in to ${host} with`, {
    where: { host },
    why: ['the inventory names no `ssh.key`, and no ssh-agent is running (SSH_AUTH_SOCK is not set)'],
    next: 'name a private key in the inventory, or start an agent and add one',
  });
