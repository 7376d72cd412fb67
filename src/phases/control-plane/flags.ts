import {
  apiServerPort,
  type Cluster,
  type ClusterHost,
  controlPlanes,
  type FlaggedComponent,
  isLoadBalancer,
  isMonitored,
  isNode,
  networksOf,
} from '../../inventory/cluster.js';
import { pkiDirectory } from '../../kubernetes/paths.js';
import type { PhaseContext } from '../phase.js';

/**
 * The command lines of the control plane's components, each flag written once, whatever starts the process; those of
 * the inventory come last.
 * Sources: each component's own `--help` of Kubernetes 1.36 and etcd 3.7, and the CIS benchmark for the hardening.
 */
export const etcdFlags = (host: ClusterHost, { cluster }: Pick<PhaseContext, 'cluster'>): Flags => ({
  name: host.name,
  'data-dir': '/var/lib/etcd',
  'listen-client-urls': `https://127.0.0.1:2379,https://${host.address}:2379`,
  'advertise-client-urls': `https://${host.address}:2379`,
  'listen-peer-urls': `https://${host.address}:2380`,
  'initial-advertise-peer-urls': `https://${host.address}:2380`,
  // A member that has lost its data must never bootstrap a cluster of its own: the task `etcd-member` gives it its data.
  'initial-cluster-state': 'existing',
  'listen-metrics-urls': 'http://127.0.0.1:2381',
  'client-cert-auth': 'true',
  'cert-file': `${pkiDirectory}/etcd/server.crt`,
  'key-file': `${pkiDirectory}/etcd/server.key`,
  'trusted-ca-file': `${pkiDirectory}/etcd/ca.crt`,
  'peer-client-cert-auth': 'true',
  'peer-cert-file': `${pkiDirectory}/etcd/peer.crt`,
  'peer-key-file': `${pkiDirectory}/etcd/peer.key`,
  'peer-trusted-ca-file': `${pkiDirectory}/etcd/ca.crt`,
  'watch-progress-notify-interval': '5s',
  'auto-compaction-retention': '8h',
  ...extraFlags('etcd', cluster),
});

export const apiServerFlags = (host: ClusterHost, { cluster }: PhaseContext): Flags => {
  const { apiServer } = cluster.kubernetes;
  const { 'enable-admission-plugins': plugins = '', ...extra } = extraFlags('kube-apiserver', cluster);
  return {
    'advertise-address': host.address,
    // A load balancer on the same host has the port on the virtual address.
    ...(isLoadBalancer(host) ? { 'bind-address': host.address } : {}),
    'secure-port': `${apiServerPort}`,
    'allow-privileged': 'true',
    'authorization-mode': 'Node,RBAC',
    // Without NodeRestriction a node could change others.
    'enable-admission-plugins': [...new Set(['NodeRestriction', ...plugins.split(',').filter(Boolean)])].join(','),
    'authentication-config': authenticationPath,
    ...(apiServer?.admission === undefined ? {} : { 'admission-control-config-file': admissionPath }),
    'enable-bootstrap-token-auth': 'true',
    'client-ca-file': `${pkiDirectory}/ca.crt`,
    'tls-cert-file': `${pkiDirectory}/apiserver.crt`,
    'tls-private-key-file': `${pkiDirectory}/apiserver.key`,
    'tls-min-version': 'VersionTLS12',
    'kubelet-certificate-authority': `${pkiDirectory}/ca.crt`,
    'kubelet-client-certificate': `${pkiDirectory}/apiserver-kubelet-client.crt`,
    'kubelet-client-key': `${pkiDirectory}/apiserver-kubelet-client.key`,
    'kubelet-preferred-address-types': 'InternalIP,Hostname',
    // Its own member only: a lost control plane then costs seconds less than with a list of all members.
    'etcd-servers': cluster.kubernetes.externalEtcd?.endpoints.join(',') ?? 'https://127.0.0.1:2379',
    'etcd-cafile': `${pkiDirectory}/etcd/ca.crt`,
    'etcd-certfile': `${pkiDirectory}/apiserver-etcd-client.crt`,
    'etcd-keyfile': `${pkiDirectory}/apiserver-etcd-client.key`,
    'encryption-provider-config': encryptionPath,
    'service-cluster-ip-range': networksOf(cluster, 'services').join(','),
    'service-account-issuer': `https://kubernetes.default.svc.${cluster.domain}`,
    'service-account-key-file': `${pkiDirectory}/sa.pub`,
    'service-account-signing-key-file': `${pkiDirectory}/sa.key`,
    'proxy-client-cert-file': `${pkiDirectory}/front-proxy-client.crt`,
    'proxy-client-key-file': `${pkiDirectory}/front-proxy-client.key`,
    // Without a kube-proxy beside it, Service addresses lead nowhere; the pods behind them are reached by its routes.
    ...(isNode(host) ? {} : { 'enable-aggregator-routing': 'true' }),
    'requestheader-client-ca-file': `${pkiDirectory}/front-proxy-ca.crt`,
    'requestheader-allowed-names': 'front-proxy-client',
    'requestheader-username-headers': 'X-Remote-User',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'audit-policy-file': auditPolicyPath,
    'audit-log-path': `${auditDirectory}/audit.log`,
    'audit-log-maxage': `${apiServer?.audit?.maxAge ?? 30}`,
    'audit-log-maxbackup': `${apiServer?.audit?.maxBackups ?? 10}`,
    'audit-log-maxsize': `${apiServer?.audit?.maxSize ?? 100}`,
    // While it stops it reports that it is not ready, and serves until every load balancer has noticed.
    'shutdown-delay-duration': '3s',
    // Then it sends Retry-After to new requests, and does not wait a minute for open watches to end.
    'shutdown-send-retry-after': 'true',
    // Clients reconnect now and then: otherwise the API server that started last would get none.
    ...(controlPlanes(cluster).length > 1 ? { 'goaway-chance': '0.001' } : {}),
    profiling: 'false',
    ...gateFlags(cluster),
    ...extra,
  };
};

export const controllerManagerFlags = (_host: ClusterHost, context: PhaseContext): Flags => ({
  ...loopbackServer('controller-manager', context),
  'requestheader-client-ca-file': `${pkiDirectory}/front-proxy-ca.crt`,
  // kbs hands out pod CIDRs; the built-in allocator would hand them out in order of arrival.
  'allocate-node-cidrs': 'false',
  'cluster-name': context.cluster.name,
  'client-ca-file': `${pkiDirectory}/ca.crt`,
  'cluster-signing-cert-file': `${pkiDirectory}/ca.crt`,
  'cluster-signing-key-file': `${pkiDirectory}/ca.key`,
  'root-ca-file': `${pkiDirectory}/ca.crt`,
  'service-account-private-key-file': `${pkiDirectory}/sa.key`,
  'service-cluster-ip-range': networksOf(context.cluster, 'services').join(','),
  'use-service-account-credentials': 'true',
  controllers: '*,bootstrapsigner,tokencleaner',
  // Each of its forty controllers asks for a token of its own at start: with the default of 20 requests a second,
  // a new cluster waits four seconds for nothing else.
  'kube-api-qps': '100',
  'kube-api-burst': '200',
  ...extraFlags('kube-controller-manager', context.cluster),
});

export const schedulerFlags = (_host: ClusterHost, context: PhaseContext): Flags => ({
  ...loopbackServer('scheduler', context),
  ...extraFlags('kube-scheduler', context.cluster),
});

/** In the order in which they are printed. */
export type Flags = Readonly<Record<string, string>>;

export const toArguments = (flags: Flags): readonly string[] =>
  Object.entries(flags).map(([name, value]) => `--${name}=${value}`);

export const encryptionPath = '/etc/kubernetes/encryption.yaml';
export const authenticationPath = '/etc/kubernetes/authentication.yaml';
export const admissionPath = '/etc/kubernetes/admission.yaml';
export const auditPolicyPath = '/etc/kubernetes/audit-policy.yaml';
export const auditDirectory = '/var/log/kubernetes/audit';

const loopbackServer = (client: 'controller-manager' | 'scheduler', { cluster }: PhaseContext): Flags => ({
  'bind-address': '127.0.0.1',
  kubeconfig: `/etc/kubernetes/${client}.conf`,
  'authentication-kubeconfig': `/etc/kubernetes/${client}.conf`,
  'authorization-kubeconfig': `/etc/kubernetes/${client}.conf`,
  // The proxy of the host's metrics asks on loopback without a token, and has asked its own client for a certificate.
  ...(isMonitored(cluster) ? { 'authorization-always-allow-paths': '/healthz,/readyz,/livez,/metrics' } : {}),
  'leader-elect': 'true',
  // The first leader election fails, as the RBAC roles are not there yet: try again after 1 s, not after the default of 2 s.
  'leader-elect-retry-period': '1s',
  profiling: 'false',
  ...gateFlags(cluster),
});

const gateFlags = ({ kubernetes: { featureGates = {} } }: Cluster): Flags => {
  const gates = Object.entries(featureGates).map(([name, isOn]) => `${name}=${isOn}`);
  return gates.length > 0 ? { 'feature-gates': gates.join(',') } : {};
};

const extraFlags = (component: FlaggedComponent, { kubernetes }: Cluster): Flags =>
  kubernetes.extraFlags?.[component] ?? {};
