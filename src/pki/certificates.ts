import { isIP } from 'node:net';
import {
  type Cluster,
  type ClusterHost,
  certifiesNames,
  isControlPlane,
  isMonitored,
  isNode,
  type Role,
} from '../inventory/cluster.js';
import { ingressNames } from '../inventory/lan-services.js';
import { hasHostMetrics } from '../inventory/metrics.js';
import type { KubeconfigName } from './credentials.js';

/**
 * All certificates of a cluster, in kubeadm's layout: one row each.
 * See https://kubernetes.io/docs/setup/best-practices/certificates/
 */
const rows: readonly AnyCertificateRow[] = [
  authority('ca', 'kubernetes', ['control-plane', 'worker']),
  authority('etcd/ca', 'etcd-ca', ['control-plane']),
  authority('front-proxy-ca', 'front-proxy-ca', ['control-plane']),
  {
    path: 'apiserver',
    per: 'host',
    subject: () => ({ commonName: 'kube-apiserver' }),
    usages: ['server'],
    issuer: 'ca',
    names: apiServerNames,
    roles: ['control-plane'],
    delivery: 'pki',
  },
  {
    path: 'apiserver-kubelet-client',
    per: 'cluster',
    subject: { commonName: 'kube-apiserver-kubelet-client', organization: 'kubeadm:cluster-admins' },
    usages: ['client'],
    issuer: 'ca',
    roles: ['control-plane'],
    delivery: 'pki',
  },
  {
    path: 'apiserver-etcd-client',
    per: 'cluster',
    subject: { commonName: 'kube-apiserver-etcd-client' },
    usages: ['client'],
    issuer: 'etcd/ca',
    roles: ['control-plane'],
    delivery: 'pki',
  },
  {
    path: 'front-proxy-client',
    per: 'cluster',
    subject: { commonName: 'front-proxy-client' },
    usages: ['client'],
    issuer: 'front-proxy-ca',
    roles: ['control-plane'],
    delivery: 'pki',
  },
  etcdMember('etcd/server'),
  etcdMember('etcd/peer'),
  {
    path: 'etcd/healthcheck-client',
    per: 'cluster',
    subject: { commonName: 'kube-etcd-healthcheck-client' },
    usages: ['client'],
    issuer: 'etcd/ca',
    roles: ['control-plane'],
    delivery: 'pki',
  },
  {
    path: 'kubelet',
    per: 'host',
    subject: nodeIdentity,
    usages: ['server'],
    issuer: 'ca',
    names: (_cluster, host) => [host.name, host.address],
    roles: ['node'],
    delivery: 'kubelet',
  },
  {
    path: 'kubelet-client',
    per: 'host',
    subject: nodeIdentity,
    usages: ['client'],
    issuer: 'ca',
    names: () => [],
    roles: ['node'],
    delivery: 'kubeconfig',
  },
  client('admin', { commonName: 'kubernetes-admin', organization: 'kubeadm:cluster-admins' }),
  client('super-admin', { commonName: 'kubernetes-super-admin', organization: 'system:masters' }),
  client('controller-manager', { commonName: 'system:kube-controller-manager' }),
  client('scheduler', { commonName: 'system:kube-scheduler' }),
  client('kube-proxy', { commonName: 'system:kube-proxy' }),
];

/** A certificate that must exist, for one host or for the whole cluster. */
export interface Certificate {
  /** Its path in the keyring, without suffix: `ca`, `etcd/ca`, `hosts/controller-00/apiserver`. */
  readonly path: string;
  /** Absent where the whole cluster shares it. */
  readonly host?: string;
  readonly subject: Subject;
  readonly usages: readonly Usage[];
  /** The authority that signs it; an authority signs itself. */
  readonly issuer: AuthorityPath;
  /** Subject alternative names, DNS names and IP addresses, without repetition. */
  readonly names: readonly string[];
  readonly days: number;
}

export interface Subject {
  readonly commonName: string;
  readonly organization?: string;
}

export type Usage = 'server' | 'client';
export type AuthorityPath = 'ca' | 'etcd/ca' | 'front-proxy-ca' | typeof ingressAuthority | typeof metricsAuthority;

/** The authority of names of the LAN, which people import. The cluster itself trusts it for nothing. */
export const ingressAuthority = 'ingress/ca';

/** The certificate that the ingress controller shows where an Ingress brings none. */
export const ingressCertificate = 'ingress/default';

/** The authority of hosts' metrics and of what may read them. Nothing else trusts it. */
export const metricsAuthority = 'metrics/ca';

/** The certificate that Prometheus shows to hosts. */
export const metricsClient = 'metrics/client';

/** The certificate that a host shows to Prometheus. */
export const metricsServer = (host: Pick<ClusterHost, 'name'>): string => inHostFolder(host, 'metrics');

/** Whether an authority may come to a cluster that has long been there, with the add-on that needs it. */
export const comesLater = (path: string): boolean => path === ingressAuthority || path === metricsAuthority;

/** Every certificate of a cluster; authorities come first. */
export const certificatesOf = (cluster: Cluster): readonly Certificate[] => {
  const all = rowsOf(cluster).flatMap((row) => {
    if (row.per === 'cluster') return [certificate(row, row.path, row.subject, [])];
    return cluster.hosts
      .filter((host) => isFor(row.roles, host))
      .map((host) => ({
        ...certificate(row, inHostFolder(host, row.path), row.subject(host), unique(row.names(cluster, host))),
        host: host.name,
      }));
  });
  const names = ingressNames(cluster);
  return [
    ...all.filter(isAuthority),
    ...(certifiesNames(cluster) ? [ingressCa(cluster)] : []),
    ...(isMonitored(cluster) ? [metricsCa(cluster)] : []),
    ...all.filter((each) => !isAuthority(each)),
    ...(names.length > 0 ? [ingressDefault(names)] : []),
    ...(isMonitored(cluster) ? metricsLeaves(cluster) : []),
  ];
};

/** Its name is what a browser shows among the authorities that a person has imported. */
const ingressCa = ({ name }: Cluster): Certificate => ({
  path: ingressAuthority,
  subject: { commonName: `ingress of ${name}`, organization: 'kbs' },
  usages: [],
  issuer: ingressAuthority,
  names: [],
  days: authorityDays,
});

const ingressDefault = (names: readonly string[]): Certificate => ({
  path: ingressCertificate,
  subject: { commonName: names[0] ?? '' },
  usages: ['server'],
  issuer: ingressAuthority,
  names: unique(names),
  days: leafDays,
});

const metricsCa = ({ name }: Cluster): Certificate => ({
  path: metricsAuthority,
  subject: { commonName: `metrics of ${name}`, organization: 'kbs' },
  usages: [],
  issuer: metricsAuthority,
  names: [],
  days: authorityDays,
});

const metricsLeaves = (cluster: Cluster): readonly Certificate[] => {
  const leaf = { issuer: metricsAuthority, days: leafDays } as const;
  return [
    { ...leaf, path: metricsClient, subject: { commonName: 'prometheus' }, usages: ['client'], names: [] },
    ...cluster.hosts
      .filter((host) => hasHostMetrics(host, cluster))
      .map(({ name, address }): Certificate => {
        const path = metricsServer({ name });
        return { ...leaf, path, host: name, subject: { commonName: name }, usages: ['server'], names: [name, address] };
      }),
  ];
};

/** Whether a certificate is an authority, which signs itself and is never replaced. */
export const isAuthority = (certificate: Certificate): boolean => certificate.issuer === certificate.path;

/** The files that a host's roles need: their paths there, and which part of the keyring each holds. */
export const filesFor = (host: ClusterHost, cluster: Pick<Cluster, 'kubernetes'>): readonly PkiFile[] => [
  ...rowsOf(cluster).flatMap((row) => rowFiles(row, host)),
  ...(isControlPlane(host) && cluster.kubernetes.externalEtcd !== undefined ? externalEtcdFiles : []),
  ...serviceAccountFiles(host),
];

/** Where others run etcd, they have its authority, and none of its certificates is issued. */
const rowsOf = ({ kubernetes }: Pick<Cluster, 'kubernetes'>): readonly AnyCertificateRow[] =>
  kubernetes.externalEtcd === undefined ? rows : rows.filter(({ issuer }) => issuer !== 'etcd/ca');

/** The sources of what the inventory names of an external etcd; the keyring has neither. */
export const externalEtcdAuthority = 'external-etcd/ca';
export const externalEtcdClient = 'external-etcd/client';

/** The key of the client: where API servers read it, as a credential file is named. */
export const externalEtcdKeyFile = 'apiserver-etcd-client.key';

/** Where kubeadm has them too. */
const externalEtcdFiles: readonly PkiFile[] = [
  { path: 'etcd/ca.crt', source: externalEtcdAuthority, part: 'certificate' },
  { path: 'apiserver-etcd-client.crt', source: externalEtcdClient, part: 'certificate' },
  { path: externalEtcdKeyFile, source: externalEtcdClient, part: 'key' },
];

export interface PkiFile {
  /** Below /etc/kubernetes/pki, or absolute. */
  readonly path: string;
  /** Path in the keyring, without suffix, or one of an external etcd. */
  readonly source: string;
  readonly part: 'certificate' | 'key' | 'public-key';
}

/** The path of a client's certificate in the keyring; the kubelet has one per host. */
export const clientPath = (name: KubeconfigName, host?: ClusterHost): string =>
  name === 'kubelet' && host !== undefined ? inHostFolder(host, 'kubelet-client') : name;

/** The path of the key pair that signs service account tokens in the keyring. */
export const serviceAccountPath = 'sa';

/** A role, or `node`: every host that runs a kubelet. */
type CertificateHolder = Role | 'node';

type AnyCertificateRow = ClusterCertificate | HostCertificate;

interface ClusterCertificate extends CertificateRow {
  readonly per: 'cluster';
  readonly subject: Subject;
}

interface HostCertificate extends CertificateRow {
  readonly per: 'host';
  readonly subject: (host: ClusterHost) => Subject;
  readonly names: (cluster: Cluster, host: ClusterHost) => readonly string[];
}

interface CertificateRow {
  /** kubeadm's name below /etc/kubernetes/pki, without suffix; for clients, that of the kubeconfig. */
  readonly path: string;
  readonly usages: readonly Usage[];
  readonly issuer: AuthorityPath;
  /** The hosts that need the certificate; none for a client, whose kubeconfig a phase writes. */
  readonly roles: readonly CertificateHolder[];
  /** The hosts that need its key, where they are fewer. */
  readonly keyRoles?: readonly CertificateHolder[];
  readonly delivery: 'pki' | 'kubelet' | 'kubeconfig';
}

/** The folder of a row's files, below /etc/kubernetes/pki or absolute. */
const folders = { pki: '', kubelet: '/var/lib/kubelet/pki/' } as const;

const authorityDays = 3650;
const leafDays = 365;

// The controller manager signs requests of kubelets, and kubeadm renews: control planes hold the keys of authorities.
function authority(path: AuthorityPath, commonName: string, roles: readonly CertificateHolder[]): ClusterCertificate {
  const keyRoles = ['control-plane'] as const;
  return { path, per: 'cluster', subject: { commonName }, usages: [], issuer: path, roles, keyRoles, delivery: 'pki' };
}

function etcdMember(path: string): HostCertificate {
  return {
    path,
    per: 'host',
    subject: (host) => ({ commonName: host.name }),
    usages: ['server', 'client'],
    issuer: 'etcd/ca',
    names: (_cluster, host) => [host.name, 'localhost', host.address, '127.0.0.1', '::1'],
    roles: ['control-plane'],
    delivery: 'pki',
  };
}

function client(path: KubeconfigName, subject: Subject): ClusterCertificate {
  return { path, per: 'cluster', subject, usages: ['client'], issuer: 'ca', roles: [], delivery: 'kubeconfig' };
}

function nodeIdentity(host: ClusterHost): Subject {
  return { commonName: `system:node:${host.name}`, organization: 'system:nodes' };
}

function apiServerNames({ domain, endpoint, network }: Cluster, host: ClusterHost): readonly string[] {
  return [
    host.name,
    host.address,
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    `kubernetes.default.svc.${domain}`,
    network.apiServiceAddress,
    ...(network.ipv6 === undefined ? [] : [network.ipv6.apiServiceAddress]),
    ...(host.ipv6 === undefined ? [] : [host.ipv6.address]),
    endpoint.host,
    ...(endpoint.name === undefined ? [] : [endpoint.name]),
    ...(endpoint.vip === undefined ? [] : [endpoint.vip]),
    ...(endpoint.address === undefined ? [] : [endpoint.address]),
    ...(endpoint.extraNames ?? []),
  ];
}

const certificate = (
  row: AnyCertificateRow,
  path: string,
  subject: Subject,
  names: readonly string[],
): Certificate => ({
  path,
  subject,
  usages: row.usages,
  issuer: row.issuer,
  names,
  days: row.issuer === row.path ? authorityDays : leafDays,
});

const inHostFolder = (host: Pick<ClusterHost, 'name'>, path: string): string => `hosts/${host.name}/${path}`;

const isFor = (holders: readonly CertificateHolder[], host: ClusterHost): boolean =>
  holders.some((holder) => (holder === 'node' ? isNode(host) : host.roles.includes(holder)));

const rowFiles = (row: AnyCertificateRow, host: ClusterHost): readonly PkiFile[] => {
  if (row.delivery === 'kubeconfig') return [];
  const source = row.per === 'host' ? inHostFolder(host, row.path) : row.path;
  const path = `${folders[row.delivery]}${row.path}`;
  const certificate: PkiFile = { path: `${path}.crt`, source, part: 'certificate' };
  const key: PkiFile = { path: `${path}.key`, source, part: 'key' };
  return [...(isFor(row.roles, host) ? [certificate] : []), ...(isFor(row.keyRoles ?? row.roles, host) ? [key] : [])];
};

const serviceAccountFiles = (host: ClusterHost): readonly PkiFile[] =>
  isControlPlane(host)
    ? [
        { path: 'sa.pub', source: serviceAccountPath, part: 'public-key' },
        { path: 'sa.key', source: serviceAccountPath, part: 'key' },
      ]
    : [];

const unique = (names: readonly string[]): readonly string[] => [...new Set(names)].sort(namesFirst);

const namesFirst = (a: string, b: string): number => isIP(a) - isIP(b) || (a < b ? -1 : 1);
