import type { Cluster } from '../inventory/cluster.js';
import { Secret } from '../secret.js';
import { type Certificate, certificatesOf, isAuthority } from './certificates.js';
import type { Credentials } from './credentials.js';
import { credentialsFrom, type PemSource } from './credentials-from.js';

/**
 * Credentials that say what would stand in their place, for a cluster that has no keyring yet.
 * They hold nothing secret and are the same every time; even a revealed Secret of theirs may be shown.
 */
export const placeholderCredentials = (cluster: Cluster): Credentials =>
  credentialsFrom(cluster, placeholderMaterial(cluster));

/** The texts of `placeholderCredentials`, for what a keyring lacks. */
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

const issuers = { ca: 'kubernetes-ca', 'etcd/ca': 'etcd-ca', 'front-proxy-ca': 'front-proxy-ca' } as const;

const subject = (certificate: Certificate | undefined, path: string): string => {
  if (certificate === undefined) return path;
  const { commonName, organization } = certificate.subject;
  return organization === undefined ? `CN=${commonName}` : `CN=${commonName}, O=${organization}`;
};
