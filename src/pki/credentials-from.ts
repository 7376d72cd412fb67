import type { Cluster, ClusterHost } from '../inventory/cluster.js';
import { Secret } from '../secret.js';
import { certificatesOf, clientPath, filesFor, type RosterFile } from './certificates.js';
import type { CredentialFile, Credentials } from './credentials.js';
import { kubeconfigText } from './kubeconfig.js';

/** The credentials of a cluster, made of material that is real or stands in for it. */
export const credentialsFrom = (cluster: Cluster, material: PemSource): Credentials => {
  const users = new Map(certificatesOf(cluster).map(({ path, subject }) => [path, subject.commonName]));
  return {
    files: (name) => filesFor(hostNamed(cluster, name)).map((file) => credentialFile(file, material)),
    kubeconfig(client, name) {
      const host = name === undefined ? undefined : hostNamed(cluster, name);
      const path = clientPath(client, host);
      const data = {
        user: users.get(path) ?? path,
        authority: material.embed(material.certificate('ca')),
        certificate: material.embed(material.certificate(path)),
        key: material.embed(material.key(path).reveal()),
      };
      return new Secret(kubeconfigText(cluster, client, host, data));
    },
    clusterCa: material.certificate('ca'),
    encryptionKey: material.encryptionKey,
  };
};

/** The texts that credentials are made of, by their place in the keyring. */
export interface PemSource {
  certificate(path: string): string;
  key(path: string): Secret;
  publicKey(path: string): string;
  readonly encryptionKey: Secret;
  /** A text as a kubeconfig's `-data` field holds it. */
  embed(text: string): string;
}

const credentialFile = ({ path, source, part }: RosterFile, material: PemSource): CredentialFile => {
  switch (part) {
    case 'certificate':
      return { path, content: material.certificate(source) };
    case 'key':
      return { path, content: material.key(source) };
    case 'public-key':
      return { path, content: material.publicKey(source) };
  }
};

const hostNamed = (cluster: Cluster, name: string): ClusterHost => {
  const host = cluster.hosts.find((each) => each.name === name);
  if (host === undefined) throw new Error(`no host ${name} in cluster ${cluster.name}`);
  return host;
};
