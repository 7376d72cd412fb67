import { readFileSync } from 'node:fs';
import type { FlaggedComponent } from './cluster.js';

/** What a flag takes; `text` stands for every sort that kbs does not tell apart, lists among them. */
export type FlagSort = 'boolean' | 'integer' | 'number' | 'duration' | 'text';

/** What the components of a Kubernetes version say of themselves; scripts/component-flags.ts writes it. */
export interface ComponentFlags {
  readonly kubernetes: string;
  /** Component → flag → what it takes. */
  readonly flags: Readonly<Record<FlaggedComponent, Readonly<Record<string, FlagSort>>>>;
  /** Alpha and beta feature gates, which all components of Kubernetes know alike; those of etcd are its own. */
  readonly featureGates: readonly string[];
}

export const readComponentFlags = (): ComponentFlags =>
  // The file is written by a script of this project, and its test checks it.
  JSON.parse(readFileSync(new URL('component-flags.json', import.meta.url), 'utf8')) as ComponentFlags;

/** Why an inventory cannot set a flag that kbs sets or relies on; undefined where it can. */
export const whyOwn = (component: FlaggedComponent, flag: string): string | undefined => {
  const own = ownFlags[component];
  return Object.hasOwn(own, flag) ? own[flag] : undefined;
};

/** Names of flags with one reason. */
const because = (why: string, ...flags: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(flags.map((flag) => [flag, why]));

const address = "it follows the host's address, and kbs asks there";
const certificate = 'kbs issues the certificates';
const file = 'it names a file, and kbs brings only its own to the component';
const gates = 'write `kubernetes.featureGates`';
const kubeconfig = 'kbs writes the kubeconfig';

const requestHeaders = because(
  'kbs sets up the aggregation layer',
  'requestheader-allowed-names',
  'requestheader-client-ca-file',
  'requestheader-extra-headers-prefix',
  'requestheader-group-headers',
  'requestheader-uid-headers',
  'requestheader-username-headers',
);

/** Those of controller manager and scheduler alike. */
const loopbackServer = {
  ...because('kbs asks there', 'bind-address', 'secure-port'),
  ...because(kubeconfig, 'kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig', 'master'),
  ...because('kbs decides who may ask', 'client-ca-file', 'authorization-always-allow-paths'),
  ...because('of several control planes one may act', 'leader-elect'),
  ...because(gates, 'feature-gates'),
  ...because(
    file,
    'allow-metric-labels-manifest',
    'cert-dir',
    'tls-cert-file',
    'tls-private-key-file',
    'tls-sni-cert-key',
  ),
  ...requestHeaders,
};

const ownFlags: Readonly<Record<FlaggedComponent, Readonly<Record<string, string>>>> = {
  etcd: {
    ...because("it follows the host's name", 'name'),
    ...because('kbs keeps and restores the data in /var/lib/etcd', 'data-dir', 'wal-dir'),
    ...because(
      address,
      'advertise-client-urls',
      'listen-client-http-urls',
      'listen-client-urls',
      'listen-metrics-urls',
      'listen-peer-urls',
    ),
    ...because(
      'kbs decides which members there are',
      'discovery',
      'discovery-cacert',
      'discovery-cert',
      'discovery-dial-timeout',
      'discovery-endpoints',
      'discovery-fallback',
      'discovery-insecure-skip-tls-verify',
      'discovery-insecure-transport',
      'discovery-keepalive-time',
      'discovery-keepalive-timeout',
      'discovery-key',
      'discovery-password',
      'discovery-proxy',
      'discovery-request-timeout',
      'discovery-srv',
      'discovery-srv-name',
      'discovery-token',
      'discovery-user',
      'force-new-cluster',
      'initial-advertise-peer-urls',
      'initial-cluster',
      'initial-cluster-state',
      'initial-cluster-token',
    ),
    ...because(
      certificate,
      'auto-tls',
      'cert-file',
      'client-cert-auth',
      'client-cert-file',
      'client-key-file',
      'key-file',
      'peer-auto-tls',
      'peer-cert-file',
      'peer-client-cert-auth',
      'peer-client-cert-file',
      'peer-client-key-file',
      'peer-key-file',
      'peer-trusted-ca-file',
      'self-signed-cert-validity',
      'trusted-ca-file',
    ),
    ...because(file, 'client-crl-file', 'peer-crl-file'),
  },
  'kube-apiserver': {
    ...because(address, 'advertise-address', 'bind-address', 'secure-port'),
    ...because(
      'it asks the etcd of its own host',
      'etcd-cafile',
      'etcd-certfile',
      'etcd-keyfile',
      'etcd-prefix',
      'etcd-servers',
      'etcd-servers-overrides',
    ),
    ...because(
      certificate,
      'cert-dir',
      'client-ca-file',
      'kubelet-certificate-authority',
      'kubelet-client-certificate',
      'kubelet-client-key',
      'peer-ca-file',
      'proxy-client-cert-file',
      'proxy-client-key-file',
      'tls-cert-file',
      'tls-private-key-file',
      'tls-sni-cert-key',
    ),
    ...because(
      'kbs makes the keys of service accounts',
      'service-account-issuer',
      'service-account-key-file',
      'service-account-signing-endpoint',
      'service-account-signing-key-file',
    ),
    ...because('kbs encrypts Secrets with a key of its keyring', 'encryption-provider-config'),
    ...because(
      'write `kubernetes.apiServer.audit`',
      'audit-log-maxage',
      'audit-log-maxbackup',
      'audit-log-maxsize',
      'audit-log-path',
      'audit-policy-file',
    ),
    ...because('write `kubernetes.apiServer.admission`', 'admission-control-config-file'),
    ...because('write `enable-admission-plugins` and `disable-admission-plugins`', 'admission-control'),
    ...because(
      'write `kubernetes.apiServer.authentication`',
      'anonymous-auth',
      'authentication-config',
      'oidc-ca-file',
      'oidc-client-id',
      'oidc-groups-claim',
      'oidc-groups-prefix',
      'oidc-issuer-url',
      'oidc-required-claim',
      'oidc-signing-algs',
      'oidc-username-claim',
      'oidc-username-prefix',
    ),
    ...because(
      'the cluster is set up for Node and RBAC',
      'authorization-config',
      'authorization-mode',
      'authorization-policy-file',
      'authorization-webhook-config-file',
    ),
    ...because('pods of the system are privileged', 'allow-privileged'),
    ...because('`kubeadm join` needs it', 'enable-bootstrap-token-auth'),
    ...because('it follows from whether the host runs pods', 'enable-aggregator-routing'),
    ...because('write `network.services`', 'service-cluster-ip-range'),
    ...because('ingress and forwarded ports go by 30000 to 32767', 'service-node-port-range'),
    ...because(gates, 'feature-gates'),
    ...because(
      file,
      'allow-metric-labels-manifest',
      'audit-webhook-config-file',
      'authentication-token-webhook-config-file',
      'debug-socket-path',
      'egress-selector-config-file',
      'token-auth-file',
      'tracing-config-file',
    ),
    ...requestHeaders,
  },
  'kube-controller-manager': {
    ...loopbackServer,
    ...because(
      certificate,
      'cluster-signing-cert-file',
      'cluster-signing-key-file',
      'cluster-signing-kube-apiserver-client-cert-file',
      'cluster-signing-kube-apiserver-client-key-file',
      'cluster-signing-kubelet-client-cert-file',
      'cluster-signing-kubelet-client-key-file',
      'cluster-signing-kubelet-serving-cert-file',
      'cluster-signing-kubelet-serving-key-file',
      'cluster-signing-legacy-unknown-cert-file',
      'cluster-signing-legacy-unknown-key-file',
      'root-ca-file',
    ),
    ...because('kbs makes the keys of service accounts', 'service-account-private-key-file'),
    ...because('the roles of its controllers are for accounts of their own', 'use-service-account-credentials'),
    ...because(
      'kbs assigns the pod CIDRs',
      'allocate-node-cidrs',
      'cidr-allocator-type',
      'cluster-cidr',
      'configure-cloud-routes',
      'node-cidr-mask-size',
      'node-cidr-mask-size-ipv4',
      'node-cidr-mask-size-ipv6',
    ),
    ...because('write `network.services`', 'service-cluster-ip-range'),
    ...because('write `cluster`', 'cluster-name'),
    ...because('there is no cloud provider', 'cloud-config', 'cloud-provider', 'external-cloud-volume-plugin'),
    ...because(
      file,
      'flex-volume-plugin-dir',
      'leader-migration-config',
      'pv-recycler-pod-template-filepath-hostpath',
      'pv-recycler-pod-template-filepath-nfs',
    ),
  },
  'kube-scheduler': {
    ...loopbackServer,
    ...because(file, 'config'),
  },
};
