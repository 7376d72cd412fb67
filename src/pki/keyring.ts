import { createPublicKey } from 'node:crypto';
import { dirname, join } from 'node:path';
import { Failure } from '../failure.js';
import type { Cluster } from '../inventory/cluster.js';
import { ignoreEverything } from '../private-folder.js';
import { Secret } from '../secret.js';
import { encryptionKeyFile, type KeyringState, type MissingCertificate } from './authorities.js';
import { issue, type KeyPair, type Randomness, systemRandomness } from './authority.js';
import { fingerprintOf } from './certificate.js';
import {
  certificatesOf,
  comesLater,
  externalEtcdAuthority,
  externalEtcdClient,
  ingressAuthority,
  isAuthority,
  serviceAccountPath,
} from './certificates.js';
import { checkKeyring } from './check-keyring.js';
import type { Credentials, Pair } from './credentials.js';
import { credentialsFrom, type PemSource } from './credentials-from.js';
import {
  type KeyringFiles,
  readKeyringFiles,
  removeKeyringFolder,
  secureKeyring,
  type Unreadable,
  writeKeyringFile,
} from './keyring-files.js';
import { placeholderMaterial } from './placeholder.js';

/** Where a cluster's keyring lies: beside its inventory file. */
export const keyringDirectory = (inventoryFile: string, clusterName: string): string =>
  join(dirname(inventoryFile), '.kbs', clusterName, 'keyring');

/**
 * What the keyring gives today, writing nothing. Whatever `ensureKeyring` would issue is a placeholder here, and named
 * in `missing` with the reason; so a plan shows the change that an apply makes.
 */
export const readKeyring = async (directory: string, cluster: Cluster, now: Date): Promise<KeyringContents> => {
  const found = checkKeyring(await readKeyringFiles(directory), certificatesOf(cluster), now, directory);
  return {
    credentials: credentialsFrom(cluster, materialOf(found, cluster)),
    missing: missingIn(found),
    identity: identityOf(found),
  };
};

/** PEM of the certificate of the ingress controller's authority; undefined where the keyring has none yet. */
export const readIngressCa = async (directory: string): Promise<string | undefined> => {
  const found = (await readKeyringFiles(directory)).get(`${ingressAuthority}.crt`);
  return found instanceof Secret ? found.reveal() : undefined;
};

export interface KeyringContents {
  readonly credentials: Credentials;
  /** Sentences such as `hosts/controller-00/apiserver has other names`; empty once the keyring is whole. */
  readonly missing: readonly string[];
  readonly identity: KeyringIdentity;
}

/** Which cluster a keyring belongs to. */
export interface KeyringIdentity {
  /**
   * The SHA-256 fingerprint of the cluster CA's certificate, in 64 lower-case hex digits, as the fact `clusterCa` of a
   * host has it. Absent where the keyring has no CA yet.
   */
  readonly ca?: string;
  /** What the keyring lacks of what a running cluster cannot do without, by its place: `etcd/ca`, `sa`, … */
  readonly missing: readonly string[];
}

/**
 * The cluster's credentials, after issuing what the keyring lacks. What is right stays as it is, byte for byte.
 * A leaf certificate that is missing, wrong or within its last 30 days is issued anew with a new key. Roots are made
 * once; a damaged one is a thrown Failure. Interrupted at any point, the next call finishes the work.
 */
export const ensureKeyring = async (
  directory: string,
  cluster: Cluster,
  now: Date,
  randomness: Randomness = systemRandomness,
): Promise<Credentials> => {
  const { credentials, save } = await prepareKeyring(directory, cluster, now, randomness);
  await save();
  return credentials;
};

/** Credentials that may be in memory only. */
export interface PreparedKeyring {
  /** What the keyring lacks is being made. */
  readonly credentials: Promise<Credentials>;
  /** Before anything was made. */
  readonly identity: KeyringIdentity;
  /** Writes what was made. */
  save(): Promise<void>;
}

/** The same without writing: what the keyring lacks is made in memory, until `save`. A damaged keyring is thrown. */
export const prepareKeyring = async (
  directory: string,
  cluster: Cluster,
  now: Date,
  randomness: Randomness = systemRandomness,
): Promise<PreparedKeyring> => {
  const files = await readKeyringFiles(directory);
  const found = checkKeyring(files, certificatesOf(cluster), now, directory);
  const made: (readonly [path: string, text: string])[] = [];
  const write = async (path: string, text: string): Promise<void> => {
    made.push([path, text]);
  };
  const filled = fill(found, { now, randomness, write });
  const credentials = filled.then((state) => credentialsFrom(cluster, materialOf(state, cluster)));
  // A run that ends before it needs the keys does not wait for them.
  credentials.catch(() => {});
  return {
    credentials,
    identity: identityOf(found),
    async save() {
      await filled;
      await secureKeyring(directory);
      requireUnchanged(directory, files, await readKeyringFiles(directory), made);
      // Nothing in here belongs into version control, whatever the repository around it says.
      for (const [path, text] of [['.gitignore', ignoreEverything] as const, ...made]) {
        const there = files.get(path);
        if (!(there instanceof Secret && there.reveal() === text)) await writeKeyringFile(directory, path, text);
      }
    },
  };
};

/** Throws where a file that is about to be written was written by another run since it was read. */
const requireUnchanged = (
  directory: string,
  before: KeyringFiles,
  now: KeyringFiles,
  made: readonly (readonly [path: string, text: string])[],
): void => {
  const same = (one: Secret | Unreadable | undefined, other: Secret | Unreadable | undefined) =>
    one instanceof Secret && other instanceof Secret ? one.reveal() === other.reveal() : typeof one === typeof other;
  const changed = made.filter(([path]) => !same(before.get(path), now.get(path)));
  if (changed.length === 0) return;
  throw new Failure('refused', `another run has written the keyring ${directory} meanwhile`, {
    why: changed.slice(0, 5).map(([path]) => `${path} is not as it was read`),
    next: 'run the same command again: it reads the keyring anew',
  });
};

/**
 * Deletes the credentials of a host that has left. Should one of that name come again, it gets new ones. The old ones
 * are good until they expire, wherever there are copies: Kubernetes knows no revocation.
 */
export const forgetHost = (directory: string, host: string): Promise<void> =>
  removeKeyringFolder(directory, `hosts/${host}`);

interface Tools {
  readonly now: Date;
  readonly randomness: Randomness;
  readonly write: (path: string, text: string) => Promise<void>;
}

/** Roots are written before the first leaf, one file after the other: what is there is always a usable beginning. */
const fill = async (found: KeyringState, tools: Tools): Promise<KeyringState> => {
  // All keys are begun at once, so that no core waits for a signature or a disk.
  const serviceAccount = keepServiceAccountKey(found, tools);
  const pending = found.gaps.map((gap) => ({ gap, keys: keysFor(gap, tools.randomness) }));
  const serviceAccountKey = await serviceAccount;
  const encryptionKey = await keepEncryptionKey(found, tools);
  const pairs = new Map(found.pairs);
  for (const { gap, keys } of pending) pairs.set(gap.certificate.path, await issueOne(gap, await keys, pairs, tools));
  return { pairs, gaps: [], serviceAccountKey, encryptionKey };
};

const keysFor = async (gap: MissingCertificate, randomness: Randomness): Promise<KeyPair> =>
  gap.key === undefined ? randomness.keyPair() : { publicKey: publicKeyOf(gap.key), privateKey: gap.key };

/** The key is written before its certificate, so no certificate is ever there without one. */
const issueOne = async (
  { certificate }: MissingCertificate,
  { publicKey, privateKey }: KeyPair,
  pairs: ReadonlyMap<string, Pair>,
  { now, randomness, write }: Tools,
): Promise<Pair> => {
  const issuer = pairs.get(certificate.issuer);
  const pem = issue({
    wanted: certificate,
    publicKey,
    ...(isAuthority(certificate) || issuer === undefined
      ? { signingKey: privateKey }
      : { issuer: issuer.certificate, signingKey: issuer.key }),
    now,
    randomness,
  });
  await write(`${certificate.path}.key`, privateKey.reveal());
  await write(`${certificate.path}.crt`, pem);
  return { certificate: pem, key: privateKey };
};

const keepEncryptionKey = async ({ encryptionKey }: KeyringState, { randomness, write }: Tools): Promise<Secret> => {
  if (encryptionKey !== undefined) return encryptionKey;
  const fresh = randomness.bytes(32).toString('base64');
  await write(encryptionKeyFile, fresh);
  return new Secret(fresh);
};

const keepServiceAccountKey = async (
  { serviceAccountKey }: KeyringState,
  { randomness, write }: Tools,
): Promise<Secret> => {
  const key = serviceAccountKey ?? (await randomness.keyPair()).privateKey;
  if (serviceAccountKey === undefined) await write(`${serviceAccountPath}.key`, key.reveal());
  await write(`${serviceAccountPath}.pub`, publicKeyOf(key));
  return key;
};

const materialOf = (found: KeyringState, cluster: Cluster): PemSource => {
  const substitute = placeholderMaterial(cluster);
  const { serviceAccountKey } = found;
  const publicKey = serviceAccountKey === undefined ? undefined : publicKeyOf(serviceAccountKey);
  const { externalEtcd } = cluster.kubernetes;
  const certificates: Readonly<Record<string, string | undefined>> = {
    [externalEtcdAuthority]: externalEtcd?.ca,
    [externalEtcdClient]: externalEtcd?.certificate,
  };
  return {
    certificate: (path) => found.pairs.get(path)?.certificate ?? certificates[path] ?? substitute.certificate(path),
    key: (path) =>
      found.pairs.get(path)?.key ??
      (path === serviceAccountPath ? serviceAccountKey : undefined) ??
      substitute.key(path),
    publicKey: (path) => publicKey ?? substitute.publicKey(path),
    encryptionKey: found.encryptionKey ?? substitute.encryptionKey,
    embed: (text) => (text.startsWith('-----BEGIN ') ? Buffer.from(text).toString('base64') : substitute.embed(text)),
  };
};

const publicKeyOf = (key: Secret): string =>
  createPublicKey(key.reveal()).export({ type: 'spki', format: 'pem' }).toString();

const identityOf = (found: KeyringState): KeyringIdentity => {
  const ca = found.pairs.get('ca')?.certificate;
  return { ...(ca === undefined ? {} : { ca: fingerprintOf(ca) }), missing: missingRoots(found) };
};

const missingRoots = (found: KeyringState): readonly string[] => [
  ...found.gaps
    .filter(({ certificate }) => isAuthority(certificate) && !comesLater(certificate.path))
    .map(({ certificate }) => certificate.path),
  ...(found.serviceAccountKey === undefined ? [serviceAccountPath] : []),
  ...(found.encryptionKey === undefined ? [encryptionKeyFile] : []),
];

const missingIn = (found: KeyringState): readonly string[] => [
  ...found.gaps.map(({ certificate, reason }) => `${certificate.path} ${reason}`),
  ...(found.serviceAccountKey === undefined ? [`${serviceAccountPath} is missing`] : []),
  ...(found.encryptionKey === undefined ? [`${encryptionKeyFile} is missing`] : []),
];
