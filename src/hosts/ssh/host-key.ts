import type { ServerHostKeyAlgorithm } from 'ssh2';
import { Failure } from '../../failure.js';
import { quote } from '../shell.js';
import { entriesFor, fingerprint, judge, type KnownKey, keyType, knownLine, knownName } from './known-hosts.js';
import { appendKnownHost, readKnownHosts } from './known-hosts-file.js';

/** The question "is this the machine it says it is?", for one connection. */
export interface HostKeyCheck {
  /** The algorithms to ask the host for: those of the keys it is known by, else all. */
  readonly algorithms: ServerHostKeyAlgorithm[];
  /** Whether the key that the host shows is accepted. A key may be shown again when the connection renews its keys. */
  accepts(shown: Buffer): boolean;
  /** Why a key was not accepted. */
  failure(): Failure | undefined;
  /** Why no key was shown at all, where the host and the known keys have no type in common. */
  mismatch(): Failure;
  /** Writes down a key that was accepted for the first time. Call it once the host has proved that the key is its own. */
  learn(): Promise<void>;
}

export interface HostKeyPlace {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  /** Paths of known_hosts files; a key is learned into the first. */
  readonly files: readonly [string, ...string[]];
  /** The name under which its key is known, in place of its address. */
  readonly alias?: string;
  readonly acceptNew: boolean;
}

/** Reads what is known of a host. Throws a Failure where the known_hosts file cannot be read. */
export async function checkHostKey(place: HostKeyPlace): Promise<HostKeyCheck> {
  const entries = await readEntries(place);
  let refused: Failure | undefined;
  let learned: Buffer | undefined;

  return {
    algorithms: algorithmsFor(entries),
    accepts(shown) {
      if (learned?.equals(shown)) return true;
      const verdict = judge(entries, shown);
      if (verdict.kind === 'known') return true;
      if (verdict.kind === 'unknown' && place.acceptNew && !learned) {
        learned = shown;
        return true;
      }
      refused = verdict.kind === 'unknown' ? unknown(place, shown) : distrusted(place, verdict, shown);
      return false;
    },
    failure: () => refused,
    mismatch: () => mismatch(place, entries),
    async learn() {
      if (!learned) return;
      const now = judge(await readEntries(place), learned);
      if (now.kind === 'known') return;
      if (now.kind !== 'unknown') throw distrusted(place, now, learned);
      const { address, port } = knownPlace(place);
      await appendKnownHost(place.files[0], knownLine(address, port, learned));
    },
  };
}

/** A line of one of the files. */
interface Entry extends KnownKey {
  readonly file: string;
}

const readEntries = async (place: HostKeyPlace): Promise<readonly Entry[]> => {
  const read = await Promise.all(
    place.files.map(async (file) => (await readKnownHosts(file)).map((key): Entry => ({ ...key, file }))),
  );
  const { address, port } = knownPlace(place);
  return entriesFor(read.flat(), address, port);
};

/** An alias stands for the address and the port (HostKeyAlias in ssh_config(5)). */
const knownPlace = ({ address, port, alias }: HostKeyPlace): Pick<HostKeyPlace, 'address' | 'port'> =>
  alias === undefined ? { address, port } : { address: alias, port: 22 };

/** Only a key of a known type can be recognised, so only those types are asked for. */
function algorithmsFor(entries: readonly KnownKey[]): ServerHostKeyAlgorithm[] {
  const known = entries.filter((entry) => !entry.revoked).map((entry) => entry.type);
  const wanted = everyAlgorithm.filter((algorithm) => known.includes(typeOf(algorithm)));
  return wanted.length > 0 ? wanted : [...everyAlgorithm];
}

const everyAlgorithm: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/** RSA keys keep their type's old name whatever hash they sign with (RFC 8332). */
const typeOf = (algorithm: string): string => (algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm);

const unknown = (place: HostKeyPlace, shown: Buffer): Failure => {
  const { host, address, port, files } = place;
  const known = knownPlace(place);
  return new Failure('unreachable', `${host} at ${address}:${port} shows a host key that is not known`, {
    where: { host, address },
    why: [
      `${keyType(shown)} ${fingerprint(shown)}`,
      `${files[0]} has no entry for ${knownName(known.address, known.port)}`,
    ],
    next: 'compare it with `ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub` on the machine itself; if it is the same, --accept-new-host-keys learns it',
  });
};

const distrusted = (
  place: HostKeyPlace,
  { kind, entry }: { readonly kind: 'changed' | 'revoked'; readonly entry: Entry },
  shown: Buffer,
): Failure => {
  const { host, address, port } = place;
  const known = `${entry.file}:${entry.line}`;
  if (kind === 'revoked') {
    return new Failure(
      'unreachable',
      `REVOKED HOST KEY: ${host} at ${address}:${port} shows a key that must not be used`,
      {
        where: { host, address },
        why: [`${keyType(shown)} ${fingerprint(shown)}`, `${known} revokes it`],
        next: 'give the machine a new host key: its private half may be in other hands',
      },
    );
  }
  return new Failure(
    'unreachable',
    `HOST KEY CHANGED: ${host} at ${address}:${port} is not the machine that is known`,
    {
      where: { host, address },
      why: [
        `shown: ${keyType(shown)} ${fingerprint(shown)}`,
        `known: ${entry.type} ${fingerprint(entry.key)} (${known})`,
        'either it was installed anew, or another machine answers in its place',
      ],
      next: forget(entry.file, place),
    },
  );
};

const mismatch = (place: HostKeyPlace, entries: readonly Entry[]): Failure =>
  entries.length === 0 ? tooOld(place) : otherKinds(place, entries);

const tooOld = ({ host, address, port }: HostKeyPlace): Failure =>
  new Failure('unreachable', `${host} at ${address}:${port} shows no kind of host key that kbs accepts`, {
    where: { host, address },
    why: [
      `kbs accepts ${everyAlgorithm.join(', ')}`,
      'ssh-rsa (which signs with SHA-1) and ssh-dss are not safe any more',
    ],
    next: 'give it an Ed25519 key with `ssh-keygen -A`, and see that HostKeyAlgorithms in its sshd_config allows it',
  });

const otherKinds = (place: HostKeyPlace, entries: readonly Entry[]): Failure => {
  const { host, address, port, files } = place;
  return new Failure(
    'unreachable',
    `HOST KEY CHANGED: ${host} at ${address}:${port} shows none of the kinds of key it is known by`,
    {
      where: { host, address },
      why: [
        ...entries.map((entry) => `known: ${entry.type} ${fingerprint(entry.key)} (${entry.file}:${entry.line})`),
        ...(entries.some(({ type }) => type === 'ssh-rsa') ? ['or it still signs with SHA-1 (ssh-rsa) alone'] : []),
      ],
      next: forget(entries[0]?.file ?? files[0], place),
    },
  );
};

const forget = (file: string, place: HostKeyPlace): string => {
  const { address, port } = knownPlace(place);
  return `if it was installed anew, forget the old key with \`ssh-keygen -f ${quote(file)} -R ${quote(knownName(address, port))}\` and connect again`;
};
