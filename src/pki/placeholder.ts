import type { Cluster } from '../inventory/cluster.js';
import { Secret } from '../secret.js';
import { type Certificate, certificatesOf, isAuthority } from './certificates.js';
import type { Credentials } from './credentials.js';
import { credentialsFrom, type PemSource } from './credentials-from.js';

/**
 * Credentials for a cluster that has no keyring yet: each text describes the real one. They hold no secret and are the
 * same every time; even their revealed Secrets may be shown.
 */
export const placeholderCredentials = (cluster: Cluster): Credentials =>
  credentialsFrom(cluster, placeholderMaterial(cluster));

/** The texts of `placeholderCredentials`, for everything that a keyring lacks. */
export const placeholderMaterial = (cluster: Cluster): PemSource => {
  const certificates = new Map(certificatesOf(cluster).map((certificate) => [certificate.path, certificate]));
  return {
    certificate: (path) => `(certificate: ${describe(certificates.get(path), path)})\n`,
    key: (path) => new Secret(`(private key: ${subject(certificates.get(path), path)})\n`),
    publicKey: (path) => `(public key: ${path})\n`,
    encryptionKey: new Secret('(encryption key)'),
    embed: (text) => text.trimEnd(),
  };
};

const describe = (certificate: Certificate | undefined, path: string): string => {
  if (certificate === undefined) return path;
  const issuer = isAuthority(certificate) ? 'itself' : issuers[certificate.issuer];
  const names = certificate.names.length === 0 ? '' : `, for ${certificate.names.join(' ')}`;
  return `${subject(certificate, path)}, issued by ${issuer}${names}`;
};

const issuers = {
  ca: 'kubernetes-ca',
  'etcd/ca': 'etcd-ca',
  'front-proxy-ca': 'front-proxy-ca',
  'ingress/ca': 'ingress-ca',
  'metrics/ca': 'metrics-ca',
} as const;

const subject = (certificate: Certificate | undefined, path: string): string => {
  if (certificate === undefined) return path;
  const { commonName, organization } = certificate.subject;
  return organization === undefined ? `CN=${commonName}` : `CN=${commonName}, O=${organization}`;
};
