import { parse, stringify } from 'yaml';
import { apiServerPort, type Cluster, type ClusterHost, isControlPlane } from '../inventory/cluster.js';
import { Secret } from '../secret.js';
import type { KubeconfigName } from './credentials.js';

/**
 * A kubeconfig as YAML text. Every string is quoted: base64 and names may otherwise read as numbers.
 * See https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 */
export const kubeconfigText = (
  cluster: Cluster,
  client: KubeconfigName,
  host: ClusterHost | undefined,
  data: ClientData,
): string =>
  stringify(kubeconfig(cluster, client, host, data), {
    defaultStringType: 'QUOTE_DOUBLE',
    defaultKeyType: 'PLAIN',
    lineWidth: 0,
  });

/** The user that the certificate names, and the values of the three `-data` fields. */
export interface ClientData {
  readonly user: string;
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

const kubeconfig = (
  cluster: Cluster,
  client: KubeconfigName,
  host: ClusterHost | undefined,
  data: ClientData,
): object => {
  const context = `${data.user}@${cluster.name}`;
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: cluster.name,
        cluster: { server: serverOf(cluster, client, host), 'certificate-authority-data': data.authority },
      },
    ],
    users: [{ name: data.user, user: { 'client-certificate-data': data.certificate, 'client-key-data': data.key } }],
    contexts: [{ name: context, context: { cluster: cluster.name, user: data.user } }],
    'current-context': context,
  };
};

/**
 * Components of a control plane use the API server on their own host: they start without the endpoint and without
 * another control plane, and their API server is never older than they are. So does the administrator's kubeconfig
 * there, which shows the control plane that is being repaired.
 */
const serverOf = ({ endpoint }: Cluster, client: KubeconfigName, host: ClusterHost | undefined): string =>
  host !== undefined && isControlPlane(host) && client !== 'kube-proxy'
    ? `https://${host.address}:${apiServerPort}`
    : `https://${endpoint.host}:${endpoint.port}`;

/**
 * Adds one kubeconfig to another and makes it the current one. Entries of the same name are replaced; every other
 * cluster, user and context stays as it is. The context is named after the cluster.
 */
export const mergeKubeconfigs = (into: Secret, added: Secret, name: string): Secret => {
  const existing = (parse(into.reveal()) ?? {}) as Partial<Kubeconfig>;
  const extra = parse(added.reveal()) as Kubeconfig;
  const user = `${name}-admin`;
  const merge = <T extends Named>(old: readonly T[] = [], added: readonly T[]): readonly T[] => [
    ...old.filter((entry) => !added.some((one) => one.name === entry.name)),
    ...added,
  ];
  const merged = {
    apiVersion: 'v1',
    kind: 'Config',
    ...existing,
    clusters: merge(existing.clusters, extra.clusters),
    users: merge(
      existing.users,
      extra.users.map((entry) => ({ ...entry, name: user })),
    ),
    contexts: merge(existing.contexts, [{ name, context: { cluster: name, user } }]),
    'current-context': name,
  };
  return new Secret(stringify(merged, { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN', lineWidth: 0 }));
};

interface Named {
  readonly name: string;
}

/** The part of a kubeconfig that a merge changes. */
interface Kubeconfig {
  readonly clusters: readonly Named[];
  readonly users: readonly Named[];
  readonly contexts: readonly (Named & { readonly context: object })[];
}
