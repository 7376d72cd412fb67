import { type Cluster, type ClusterHost, isControlPlane } from '../inventory/cluster.js';
import { Secret } from '../secret.js';
import { parseCertificate } from './certificate.js';
import {
  certificatesOf,
  clientPath,
  filesFor,
  ingressAuthority,
  ingressCertificate,
  metricsAuthority,
  metricsClient,
  metricsServer,
  type PkiFile,
} from './certificates.js';
import type {
  CertificateExpiry,
  CredentialFile,
  Credentials,
  IngressCredentials,
  MetricsCredentials,
} from './credentials.js';
import { kubeconfigText } from './kubeconfig.js';

/** The credentials of a cluster, from real PEM texts or from placeholders. */
export const credentialsFrom = (cluster: Cluster, pems: PemSource): Credentials => {
  const users = new Map(certificatesOf(cluster).map(({ path, subject }) => [path, subject.commonName]));
  return {
    files: (name) => filesFor(hostNamed(cluster, name), cluster).map((file) => credentialFile(file, pems)),
    kubeconfig(client, name) {
      const host = name === undefined ? undefined : hostNamed(cluster, name);
      const path = clientPath(client, host);
      const data = {
        user: users.get(path) ?? path,
        authority: pems.embed(pems.certificate('ca')),
        certificate: pems.embed(pems.certificate(path)),
        key: pems.embed(pems.key(path).reveal()),
      };
      return new Secret(kubeconfigText(cluster, client, host, data));
    },
    clusterCa: pems.certificate('ca'),
    encryptionKey: pems.encryptionKey,
    // The keyring has none: a run reads them from where the inventory says.
    registryPassword: (registry) => new Secret(`(password for ${registry})`),
    ...(users.has(ingressAuthority) ? { ingress: ingressCredentials(users.has(ingressCertificate), pems) } : {}),
    ...(users.has(metricsAuthority) ? { metrics: metricsCredentials(pems) } : {}),
    expiries: (name) => expiriesOf(hostNamed(cluster, name), cluster, pems),
  };
};

const ingressCredentials = (hasNames: boolean, pems: PemSource): IngressCredentials => ({
  ca: pems.certificate(ingressAuthority),
  caKey: pems.key(ingressAuthority),
  ...(hasNames
    ? { shown: { certificate: pems.certificate(ingressCertificate), key: pems.key(ingressCertificate) } }
    : {}),
});

const metricsCredentials = (pems: PemSource): MetricsCredentials => {
  const pair = (path: string) => ({ certificate: pems.certificate(path), key: pems.key(path) });
  return {
    ca: pems.certificate(metricsAuthority),
    client: pair(metricsClient),
    server: (name) => pair(metricsServer({ name })),
  };
};

/** Certificates that all hosts share are those of the control planes. */
const expiriesOf = (host: ClusterHost, cluster: Cluster, pems: PemSource): readonly CertificateExpiry[] =>
  certificatesOf(cluster)
    .filter((each) => each.host === host.name || (each.host === undefined && isControlPlane(host)))
    .map(({ path }) => {
      const certificate = parseCertificate(pems.certificate(path));
      return {
        name: path.replace(`hosts/${host.name}/`, ''),
        notAfter: certificate && Math.floor(Date.parse(certificate.validTo) / 1000),
      };
    });

/** The texts of which credentials consist, by their path in the keyring. */
export interface PemSource {
  certificate(path: string): string;
  key(path: string): Secret;
  publicKey(path: string): string;
  readonly encryptionKey: Secret;
  /** A text as a kubeconfig's `-data` field holds it. */
  embed(text: string): string;
}

const credentialFile = ({ path, source, part }: PkiFile, pems: PemSource): CredentialFile => {
  switch (part) {
    case 'certificate':
      return { path, content: pems.certificate(source) };
    case 'key':
      return { path, content: pems.key(source) };
    case 'public-key':
      return { path, content: pems.publicKey(source) };
  }
};

const hostNamed = (cluster: Cluster, name: string): ClusterHost => {
  const host = cluster.hosts.find((each) => each.name === name);
  if (host === undefined) throw new Error(`no host ${name} in cluster ${cluster.name}`);
  return host;
};
