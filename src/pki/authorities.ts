import { join } from 'node:path';
import { defined } from '../defined.js';
import { type Details, Failure, Failures } from '../failure.js';
import { Secret } from '../secret.js';
import { expiryProblem, type Pair, parseCertificate, parsePrivateKey, problemWith } from './certificate.js';
import { type Certificate, serviceAccountPath } from './certificates.js';
import type { KeyringFiles } from './keyring-files.js';

/**
 * The roots are what a running cluster trusts and cannot do without: the authorities, the key that signs service
 * account tokens, the key of encryption at rest. One that is damaged, or missing from a keyring in use, is thrown as a
 * Failure that names its file, all of them together; kbs never replaces it in passing. Pure.
 */
export const checkAuthorities = (scene: KeyringInputs, authorities: readonly Certificate[]): KeyringState => {
  const pairs = new Map<string, Pair>();
  const gaps: MissingCertificate[] = [];
  const failures: Failure[] = [];
  for (const certificate of authorities) {
    const found = authority(scene, certificate);
    if (found instanceof Failure) failures.push(found);
    else if ('reason' in found) gaps.push(found);
    else pairs.set(certificate.path, found);
  }
  const serviceAccountKey = lone(scene, `${serviceAccountPath}.key`, keyFault);
  const encryptionKey = lone(scene, encryptionKeyFile, encryptionKeyFault);
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
  /** What can stay, by path. */
  readonly pairs: ReadonlyMap<string, Pair>;
  /** What must be issued, authorities first. */
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
  /** An authority's key that is there already, and only lacks its certificate. */
  readonly key?: Secret;
}

export interface KeyringInputs {
  readonly files: KeyringFiles;
  /** Of the keyring, for messages. */
  readonly directory: string;
  /** Whether certificates were issued from these roots. */
  readonly inUse: boolean;
  readonly now: Date;
}

export const encryptionKeyFile = 'encryption.key';

const authority = (scene: KeyringInputs, certificate: Certificate): Pair | MissingCertificate | Failure => {
  const [crtFile, keyFile] = [`${certificate.path}.crt`, `${certificate.path}.key`];
  const pem = lone(scene, crtFile, () => undefined);
  if (pem instanceof Failure) return pem;
  const key = lone(scene, keyFile, authorityKeyFault);
  if (key instanceof Failure) return key;
  if (pem === undefined) return { certificate, reason: 'is missing', ...defined({ key }) };
  if (key === undefined) return failure(scene, keyFile, 'is missing');
  const pair = { certificate: pem.reveal(), key };
  const parsed = parseCertificate(pair.certificate);
  const untimely = parsed && expiryProblem(parsed, scene.now);
  if (untimely !== undefined) return failure(scene, crtFile, untimely, { next: timeNext });
  const fault = problemWith(pair, certificate, pair.certificate, scene.now);
  return fault === undefined ? pair : failure(scene, crtFile, fault);
};

/** `undefined` where a file is absent and may be. */
const lone = (
  scene: KeyringInputs,
  path: string,
  faultIn: (text: Secret) => string | undefined,
): Secret | Failure | undefined => {
  const text = scene.files.get(path);
  if (text === undefined) return scene.inUse ? failure(scene, path, 'is missing') : undefined;
  if (!(text instanceof Secret)) return failure(scene, path, 'cannot be read', { why: [text.unreadable] });
  const fault = faultIn(text);
  return fault === undefined ? text : failure(scene, path, fault);
};

const keyFault = (text: Secret): string | undefined =>
  parsePrivateKey(text) ? undefined : 'is not a readable private key';

const authorityKeyFault = (text: Secret): string | undefined => {
  const key = parsePrivateKey(text);
  if (key === undefined) return 'is not a readable private key';
  return key.asymmetricKeyType === 'rsa' ? undefined : 'is no RSA key, and kbs signs with RSA';
};

const encryptionKeyFault = (text: Secret): string | undefined => {
  const bytes = Buffer.from(text.reveal(), 'base64');
  const whole = bytes.length === 32 && bytes.toString('base64') === text.reveal().trim();
  return whole ? undefined : 'does not hold 32 bytes in base64';
};

const failure = (scene: KeyringInputs, path: string, fault: string, details: Details = {}): Failure =>
  new Failure('preflight', `${path} of the keyring ${fault}`, {
    where: { position: join(scene.directory, path) },
    next: rootNext,
    ...details,
  });

const rootNext =
  'put it back from a backup, or from a control plane under /etc/kubernetes; ' +
  'a running cluster relies on exactly this one, so kbs does not make another';

const timeNext =
  "check this machine's clock; if it is right, the authority must be replaced, which kbs does not do yet: " +
  'https://kubernetes.io/docs/tasks/tls/manual-rotation-of-ca-certificates/';
