import { join } from 'node:path';
import { defined } from '../defined.js';
import { type Details, Failure, Failures } from '../failure.js';
import { Secret } from '../secret.js';
import { expiryProblem, parseCertificate, parsePrivateKey, problemWith } from './certificate.js';
import { type Certificate, comesLater, serviceAccountPath } from './certificates.js';
import type { Pair } from './credentials.js';
import type { KeyringFiles } from './keyring-files.js';

/**
 * Checks the roots of a keyring, which a running cluster trusts and needs: the authorities, the key that signs service
 * account tokens, the key of encryption at rest. Throws a Failure for every root that is damaged, or missing from a
 * keyring in use; kbs never replaces a root. Pure.
 */
export const checkAuthorities = (inputs: KeyringInputs, authorities: readonly Certificate[]): KeyringState => {
  const pairs = new Map<string, Pair>();
  const gaps: MissingCertificate[] = [];
  const failures: Failure[] = [];
  for (const certificate of authorities) {
    const found = checkAuthority({ ...inputs, inUse: isInUse(inputs, certificate) }, certificate);
    if (found instanceof Failure) failures.push(found);
    else if ('reason' in found) gaps.push(found);
    else pairs.set(certificate.path, found);
  }
  const serviceAccountKey = standaloneSecret(inputs, `${serviceAccountPath}.key`, keyProblem);
  const encryptionKey = standaloneSecret(inputs, encryptionKeyFile, encryptionKeyProblem);
  for (const found of [serviceAccountKey, encryptionKey]) if (found instanceof Failure) failures.push(found);
  const [first, ...others] = failures;
  if (first !== undefined) throw others.length === 0 ? first : new Failures(failures);
  return {
    pairs,
    gaps,
    ...(serviceAccountKey instanceof Secret ? { serviceAccountKey } : {}),
    ...(encryptionKey instanceof Secret ? { encryptionKey } : {}),
  };
};

export interface KeyringState {
  /** The valid certificates, by path. */
  readonly pairs: ReadonlyMap<string, Pair>;
  /** The certificates to issue, authorities first. */
  readonly gaps: readonly MissingCertificate[];
  /** PEM of the private key; absent in a keyring that is not in use yet. */
  readonly serviceAccountKey?: Secret;
  /** 32 bytes, base64; absent in a keyring that is not in use yet. */
  readonly encryptionKey?: Secret;
}

export interface MissingCertificate {
  readonly certificate: Certificate;
  /** A clause that follows the certificate's name. */
  readonly reason: string;
  /** The key of an authority that lacks only its certificate. */
  readonly key?: Secret;
}

export interface KeyringInputs {
  readonly files: KeyringFiles;
  /** The folder of the keyring, for messages. */
  readonly directory: string;
  /** Whether certificates were issued from these roots. */
  readonly inUse: boolean;
  readonly now: Date;
}

export const encryptionKeyFile = 'encryption.key';

/**
 * An authority that comes with an add-on may come to a cluster that has long been there, and that of etcd to one that was
 * reset after it had used an external one.
 */
const isInUse = ({ files, inUse }: KeyringInputs, { path }: Certificate): boolean => {
  if (path === 'etcd/ca') return [...files.keys()].some((file) => ofEtcd.test(file));
  return comesLater(path) ? files.has(`${path}.crt`) : inUse;
};

/** The files of a keyring that tell that its etcd's authority was there. */
const ofEtcd = /(^|\/)(etcd\/.*|apiserver-etcd-client)\.(crt|key)$/;

const checkAuthority = (inputs: KeyringInputs, certificate: Certificate): Pair | MissingCertificate | Failure => {
  const [crtFile, keyFile] = [`${certificate.path}.crt`, `${certificate.path}.key`];
  const pem = standaloneSecret(inputs, crtFile, () => undefined);
  if (pem instanceof Failure) return pem;
  const key = standaloneSecret(inputs, keyFile, authorityKeyProblem);
  if (key instanceof Failure) return key;
  if (pem === undefined) return { certificate, reason: 'is missing', ...defined({ key }) };
  if (key === undefined) return failure(inputs, keyFile, 'is missing');
  const pair = { certificate: pem.reveal(), key };
  const parsed = parseCertificate(pair.certificate);
  const expired = parsed && expiryProblem(parsed, inputs.now);
  if (expired !== undefined) return failure(inputs, crtFile, expired, { next: expiredNext });
  const problem = problemWith(pair, certificate, pair.certificate, inputs.now);
  return problem === undefined ? pair : failure(inputs, crtFile, problem);
};

/** A key that has no certificate, or whose certificate is checked elsewhere; `undefined` where it may be absent. */
const standaloneSecret = (
  inputs: KeyringInputs,
  path: string,
  problemIn: (text: Secret) => string | undefined,
): Secret | Failure | undefined => {
  const text = inputs.files.get(path);
  if (text === undefined) return inputs.inUse ? failure(inputs, path, 'is missing') : undefined;
  if (!(text instanceof Secret)) return failure(inputs, path, 'cannot be read', { why: [text.unreadable] });
  const problem = problemIn(text);
  return problem === undefined ? text : failure(inputs, path, problem);
};

const keyProblem = (text: Secret): string | undefined =>
  parsePrivateKey(text) ? undefined : 'is not a readable private key';

const authorityKeyProblem = (text: Secret): string | undefined => {
  const key = parsePrivateKey(text);
  if (key === undefined) return 'is not a readable private key';
  return key.asymmetricKeyType === 'rsa' ? undefined : 'is not an RSA key, and kbs signs with RSA';
};

const encryptionKeyProblem = (text: Secret): string | undefined => {
  const bytes = Buffer.from(text.reveal(), 'base64');
  const whole = bytes.length === 32 && bytes.toString('base64') === text.reveal().trim();
  return whole ? undefined : 'does not hold 32 bytes in base64';
};

const failure = (inputs: KeyringInputs, path: string, problem: string, details: Details = {}): Failure =>
  new Failure('preflight', `${path} of the keyring ${problem}`, {
    where: { position: join(inputs.directory, path) },
    next: rootNext,
    ...details,
  });

const rootNext =
  'restore it from a backup, or from /etc/kubernetes on a control plane; ' +
  'a running cluster needs exactly this one, so kbs does not create another';

const expiredNext =
  "check this machine's clock; if it is right, the authority must be replaced, which kbs does not do yet: " +
  'https://kubernetes.io/docs/tasks/tls/manual-rotation-of-ca-certificates/';
