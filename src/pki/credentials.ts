import type { Secret } from '../secret.js';

/**
 * The certificates, keys and kubeconfigs of one cluster, as phases see them: values to put into files.
 * The keyring gives real ones; `render` gives placeholders, so that a rendering holds no secret.
 */
export interface Credentials {
  /** The certificate and key files that this host's roles need. */
  files(host: string): readonly CredentialFile[];
  /** A kubeconfig for one of the cluster's own clients: on a host, or without one, through the endpoint. */
  kubeconfig(client: KubeconfigName, host?: string): Secret;
  /** PEM of the cluster CA's certificate. */
  readonly clusterCa: string;
  /** 32 random bytes, base64: the key of encryption at rest. */
  readonly encryptionKey: Secret;
  /** Of names of the LAN; absent in a cluster where nothing certifies them. */
  readonly ingress?: IngressCredentials;
  /** Of metrics of hosts; absent in a cluster where nothing reads them. */
  readonly metrics?: MetricsCredentials;
  /** The password for a registry of the inventory. */
  registryPassword(registry: string): Secret;
  /** When the certificates of the keyring that a host depends on expire, by their name there. */
  expiries(host: string): readonly CertificateExpiry[];
}

export interface MetricsCredentials {
  /** PEM of the authority's certificate. */
  readonly ca: string;
  /** What Prometheus shows to hosts. */
  readonly client: Pair;
  /** What a host shows to Prometheus. */
  server(host: string): Pair;
}

/** A certificate and its key, both PEM. */
export interface Pair {
  readonly certificate: string;
  readonly key: Secret;
}

export interface CertificateExpiry {
  /** `etcd/server`, `kubelet-client`: its path in the keyring, or in the host's folder there. */
  readonly name: string;
  /** Seconds since the epoch; undefined for one that is not issued yet. */
  readonly notAfter: number | undefined;
}

export interface IngressCredentials {
  /** PEM of the authority's certificate. */
  readonly ca: string;
  readonly caKey: Secret;
  /** What the ingress controller shows where an Ingress brings none, PEM; absent where it answers for no name. */
  readonly shown?: Pair;
}

export interface CredentialFile {
  /**
   * Below /etc/kubernetes/pki, in kubeadm's layout: `apiserver.crt`, `etcd/server.key`, …
   * The kubelet's own have absolute paths: `/var/lib/kubelet/pki/kubelet.crt` and `.key`.
   */
  readonly path: string;
  /** A Secret if it holds a private key, plain text otherwise. */
  readonly content: string | Secret;
}

export type KubeconfigName = 'admin' | 'super-admin' | 'controller-manager' | 'scheduler' | 'kubelet' | 'kube-proxy';
