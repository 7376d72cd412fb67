import { existsSync } from 'node:fs';
import { Failure } from '../../failure.js';
import type { SshLogin } from '../../inventory/cluster.js';
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

/**
 * Reads the named keys and asks the agent, whose socket `agent` is, for its own. A key that a passphrase protects is used
 * through the agent. Throws a Failure for a key that cannot be used, and where there is nothing to use at all.
 */
export async function readIdentities(
  host: string,
  { keys: paths, onlyKeys }: Pick<SshLogin, 'keys' | 'onlyKeys'>,
  agent: string | undefined,
): Promise<Identities> {
  const files = await Promise.all(paths.map((path) => readKeyFile(host, path)));
  const held = agent === undefined ? undefined : await askAgent(agent);
  const named = files.map((file) => offerOf(file, held));
  const unusable = files.filter((_, index) => named[index] === undefined);
  if (held === undefined && unusable[0] !== undefined) throw needsAgent(host, unusable[0]);
  if (held === undefined && files.length === 0) throw nothing(host);
  const offered = named.filter((offer) => offer !== undefined);
  return {
    offers: [
      ...offered,
      ...(onlyKeys ? [] : (held?.offers ?? [])).filter((other) => !offered.some((offer) => isSame(offer, other))),
    ],
    remarks: [
      ...offered.map(({ name }) => `tried ${name}`),
      held?.remark ?? 'no ssh-agent is running',
      ...unusable.map((file) => `${file.path} is ${whatIsMissing(file)}, and the agent does not hold it`),
    ],
    certificates: paths.map((path) => `${path}-cert.pub`).filter((path) => existsSync(path)),
  };
}

function offerOf(file: KeyFile, agent: Agent | undefined): Offer | undefined {
  const name = `the key ${file.path}`;
  if (file.kind === 'private') return { name, key: file.key, sign: async (data, hash) => file.key.sign(data, hash) };
  const { publicKey } = file;
  const held = publicKey && agent?.offers.find((offer) => isSame(offer, { key: publicKey }));
  return held && { ...held, name };
}

const isSame = (one: Pick<Offer, 'key'>, other: Pick<Offer, 'key'>): boolean =>
  one.key.getPublicSSH().equals(other.key.getPublicSSH());

const whatIsMissing = ({ kind }: KeyFile): string => (kind === 'public' ? 'a public key' : 'protected by a passphrase');

const needsAgent = (host: string, { kind, path }: KeyFile): Failure =>
  kind === 'public'
    ? new Failure('unreachable', `${path} is not a private key that kbs can use`, {
        where: { host },
        why: ['it is a public key, and no ssh-agent is running (SSH_AUTH_SOCK is not set)'],
        next: 'name the private key in `ssh.key`, or start an agent that holds it',
      })
    : new Failure('unreachable', `the private key ${path} is protected by a passphrase`, {
        where: { host },
        why: ['no ssh-agent is running (SSH_AUTH_SOCK is not set)'],
        next: `give it to an agent: eval "$(ssh-agent)"; ssh-add ${quote(path)}`,
      });

const nothing = (host: string): Failure =>
  new Failure('unreachable', `there is no key to log in to ${host} with`, {
    where: { host },
    why: ['the inventory names no `ssh.key`, and no ssh-agent is running (SSH_AUTH_SOCK is not set)'],
    next: 'name a private key in the inventory, or start an agent and add one',
  });
