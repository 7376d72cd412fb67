import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import ssh2, { type ParsedKey } from 'ssh2';
import { Failure } from '../../failure.js';
import type { Secret } from '../../secret.js';
import { messageOf } from '../message.js';
import { keyType } from './known-hosts.js';
import { openSshPrivateKey, publicHalf } from './openssh-key.js';

/** What a file that the inventory names as a key holds. */
export type KeyFile =
  | { readonly kind: 'private'; readonly path: string; readonly key: ParsedKey }
  | {
      readonly kind: 'locked';
      readonly path: string;
      /** Its public half, from the file itself or from PATH.pub; absent where neither shows it. */
      readonly publicKey: ParsedKey | undefined;
      /** The key, undefined where the passphrase is another one. */
      unlock(passphrase: Secret): ParsedKey | undefined;
    }
  | { readonly kind: 'public'; readonly path: string; readonly publicKey: ParsedKey };

/**
 * Reads a private key: OpenSSH's own format, PEM (PKCS#1, SEC 1) or PKCS#8; or a public key, whose private half an
 * agent may hold. Throws a Failure for a file that is neither, and for a FIDO key.
 */
export async function readKeyFile(host: string, path: string): Promise<KeyFile> {
  const text = await readFile(path).catch((cause) => {
    throw unreadable(host, path, cause);
  });
  const open = publicHalf(text);
  if (open !== undefined && isFido(keyType(open))) throw fido(host, path, keyType(open));
  const key = parse(text);
  if (key === 'locked') {
    return {
      kind: 'locked',
      path,
      publicKey: parsed(open) ?? parsed(await readFile(`${path}.pub`).catch(() => undefined)),
      unlock: (passphrase) => {
        const opened = parse(text, passphrase);
        return opened === 'locked' || opened instanceof Error ? undefined : opened;
      },
    };
  }
  if (key instanceof Error) throw unusable(host, path, key.message);
  return key.isPrivateKey() ? { kind: 'private', path, key } : { kind: 'public', path, publicKey: key };
}

const parsed = (key: Buffer | undefined): ParsedKey | undefined => {
  const found = key === undefined ? undefined : parse(key);
  return found === 'locked' || found instanceof Error ? undefined : found;
};

function parse(text: Buffer, passphrase?: Secret): ParsedKey | 'locked' | Error {
  const [isPkcs8, isEncrypted] = /-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/.exec(text.toString('latin1')) ?? [];
  if (isEncrypted && !passphrase) return 'locked';
  try {
    const known = isPkcs8 ? converted(text, passphrase) : text;
    const found = ssh2.utils.parseKey(known, passphrase?.reveal());
    if (!(found instanceof Error)) return [found].flat()[0] ?? new Error('it holds no key');
    return /no passphrase given/.test(found.message) ? 'locked' : found;
  } catch (error) {
    return error instanceof Error ? error : new Error(messageOf(error));
  }
}

/** PKCS#8, which ssh2 does not read, in a format that it does. */
function converted(text: Buffer, passphrase: Secret | undefined): string {
  const key = createPrivateKey({ key: text, ...(passphrase && { passphrase: passphrase.reveal() }) });
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return pem(key, 'pkcs1');
    case 'ec':
      return pem(key, 'sec1');
    case 'ed25519':
      return openSshPrivateKey(key);
    default:
      throw new Error(`keys of type ${key.asymmetricKeyType} are not supported`);
  }
}

const pem = (key: KeyObject, type: 'pkcs1' | 'sec1'): string => key.export({ type, format: 'pem' }).toString();

const isFido = (type: string): boolean => type.startsWith('sk-');

const unreadable = (host: string, path: string, cause: unknown): Failure =>
  new Failure('unreachable', `cannot read the private key ${path}`, {
    where: { host },
    why: [messageOf(cause)],
    next: 'correct `ssh.key` in the inventory, or make the file readable',
    cause,
  });

const unusable = (host: string, path: string, why: string): Failure =>
  new Failure('unreachable', `${path} is not a private key that kbs can use`, {
    where: { host },
    why: [why],
    next: 'name a private key of type Ed25519, ECDSA or RSA in `ssh.key`',
  });

const fido = (host: string, path: string, type: string): Failure =>
  new Failure('unreachable', `${path} is a FIDO key, which kbs cannot log in with`, {
    where: { host },
    why: [`its type is ${type}: the key itself is in a security key`],
    next: 'have your own ssh use it: ssh: { transport: openssh }; or name another key in `ssh.key`, of type Ed25519, ECDSA or RSA',
  });
