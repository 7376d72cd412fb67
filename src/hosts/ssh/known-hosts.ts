import { createHash, createHmac } from 'node:crypto';

/** One usable line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
export interface KnownKey {
  /** As written: patterns with commas, or one hashed name. */
  readonly hosts: string;
  readonly type: string;
  /** The public key in its wire format (RFC 4253, 6.6). */
  readonly key: Buffer;
  /** `@revoked`: this key must never be accepted. */
  readonly revoked: boolean;
  /** Counted from 1. */
  readonly line: number;
}

/** What known_hosts holds about a key that a host shows. */
export type Verdict<Key extends KnownKey = KnownKey> =
  | { readonly kind: 'known' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'changed'; readonly entry: Key }
  | { readonly kind: 'revoked'; readonly entry: Key };

/**
 * Reads a known_hosts file. Lines that make no sense are skipped, as OpenSSH does; so are `@cert-authority` lines,
 * because host certificates are not understood here, and skipping can only make kbs trust less.
 */
export const parseKnownHosts = (text: string): readonly KnownKey[] =>
  text.split('\n').flatMap((line, index) => parseLine(line, index + 1) ?? []);

function parseLine(line: string, number: number): KnownKey | undefined {
  if (/^\s*(#|$)/.test(line)) return undefined;
  const words = line.trim().split(/\s+/);
  const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
  const [hosts, type, encoded] = words;
  if (!hosts || !type || !encoded || (marker !== undefined && marker !== '@revoked')) return undefined;
  const key = Buffer.from(encoded, 'base64');
  if (keyType(key) !== type) return undefined;
  return { hosts, type, key, revoked: marker === '@revoked', line: number };
}

/** The type that a public key states of itself in its wire format; empty where it is no key. */
export function keyType(key: Buffer): string {
  if (key.length < 4) return '';
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
}

/** The entries for a host at a port: plain for 22, `[host]:port` for every other. */
export const entriesFor = <Key extends KnownKey>(
  known: readonly Key[],
  address: string,
  port: number,
): readonly Key[] => {
  const name = knownName(address, port);
  return known.filter((entry) => names(entry.hosts, name));
};

export const knownName = (address: string, port: number): string => {
  const host = address.toLowerCase();
  return port === 22 ? host : `[${host}]:${port}`;
};

/** Judges a shown key by the entries of its host. A host that is known by any other key is changed, never unknown. */
export function judge<Key extends KnownKey>(entries: readonly Key[], shown: Buffer): Verdict<Key> {
  const revoked = entries.find((entry) => entry.revoked && entry.key.equals(shown));
  if (revoked) return { kind: 'revoked', entry: revoked };
  const valid = entries.filter((entry) => !entry.revoked);
  if (valid.some((entry) => entry.key.equals(shown))) return { kind: 'known' };
  const other = valid.find((entry) => entry.type === keyType(shown)) ?? valid[0];
  return other ? { kind: 'changed', entry: other } : { kind: 'unknown' };
}

/** The fingerprint as `ssh-keygen -l` prints it. */
export const fingerprint = (key: Buffer): string =>
  `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;

/** A line that makes a key known, without its newline. */
export const knownLine = (address: string, port: number, key: Buffer): string =>
  `${knownName(address, port)} ${keyType(key)} ${key.toString('base64')}`;

function names(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return hashes(hosts, name);
  const patterns = hosts.toLowerCase().split(',');
  const matching = patterns.filter((pattern) => matches(pattern.replace(/^!/, ''), name));
  return matching.length > 0 && !matching.some((pattern) => pattern.startsWith('!'));
}

/** `|1|salt|HMAC-SHA1(salt, name)`, both in base64. */
function hashes(hashed: string, name: string): boolean {
  const [, version, salt, digest] = hashed.split('|');
  if (version !== '1' || !salt || !digest) return false;
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest().equals(Buffer.from(digest, 'base64'));
}

/** `*` is any run of characters and `?` any single one; all else, brackets too, is itself. */
const matches = (pattern: string, name: string): boolean =>
  new RegExp(
    `^${pattern
      .replace(/[^\w*?]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    's',
  ).test(name);
