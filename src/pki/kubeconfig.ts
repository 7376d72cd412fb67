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

/** Whom the certificate names, and what goes into the three `-data` fields as it stands there. */
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
 * What is part of a control plane talks to the API server beside it: it then needs neither the endpoint nor another
 * control plane in order to come up, and never meets an API server older than itself. So does the administrator who
 * logs in there: whoever mends a control plane wants to see that one.
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
  const there = (parse(into.reveal()) ?? {}) as Partial<Kubeconfig>;
  const brought = parse(added.reveal()) as Kubeconfig;
  const user = `${name}-admin`;
  const merge = <T extends Named>(old: readonly T[] = [], fresh: readonly T[]): readonly T[] => [
    ...old.filter((entry) => !fresh.some((one) => one.name === entry.name)),
    ...fresh,
  ];
  const merged = {
    apiVersion: 'v1',
    kind: 'Config',
    ...there,
    clusters: merge(there.clusters, brought.clusters),
    users: merge(
      there.users,
      brought.users.map((entry) => ({ ...entry, name: user })),
    ),
    contexts: merge(there.contexts, [{ name, context: { cluster: name, user } }]),
    'current-context': name,
  };
  return new Secret(stringify(merged, { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN', lineWidth: 0 }));
};

interface Named {
  readonly name: string;
}

/** The part of a kubeconfig that a merge looks at. */
interface Kubeconfig {
  readonly clusters: readonly Named[];
  readonly users: readonly Named[];
  readonly contexts: readonly (Named & { readonly context: object })[];
}
