import { stringify } from 'yaml';
import { defined } from '../defined.js';
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
): string => {
  const { user: name, authority, certificate, key } = data;
  const credentials = { 'client-certificate-data': certificate, 'client-key-data': key };
  return kubeconfigYaml(
    singleContext({
      cluster: {
        name: cluster.name,
        cluster: { server: serverOf(cluster, client, host), 'certificate-authority-data': authority },
      },
      user: { name, user: credentials },
      context: { name: `${name}@${cluster.name}`, context: { cluster: cluster.name, user: name } },
    }),
  );
};

/** The user that the certificate names, and the values of the three `-data` fields. */
export interface ClientData {
  readonly user: string;
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** One cluster, one user, and the context of both: what a kubeconfig of kbs holds. */
export interface KubeconfigEntries {
  readonly cluster: { readonly name: string; readonly cluster: Fields };
  readonly user: { readonly name: string; readonly user: Fields };
  readonly context: { readonly name: string; readonly context: Fields };
}

type Fields = Readonly<Record<string, unknown>>;

/** A person's access through the endpoint. */
export interface UserAccess {
  readonly name: string;
  readonly token: Secret;
  /** PEM of the cluster's CA. */
  readonly authority: string;
  /** The user and groups that requests name besides the token; absent where the token is enough. */
  readonly as?: { readonly user: string; readonly groups: readonly string[] };
  /** Where kubectl works without `-n`. */
  readonly namespace?: string;
}

/** What the kubeconfig of a person holds. Names end with the cluster's, so that they are unique among clusters. It is secret. */
export const userEntries = (
  { name: cluster, endpoint }: Pick<Cluster, 'name' | 'endpoint'>,
  { name, token, authority, as, namespace }: UserAccess,
): KubeconfigEntries => {
  const user = `${name}@${cluster}`;
  return {
    cluster: {
      name: cluster,
      cluster: {
        server: `https://${endpoint.host}:${endpoint.port}`,
        'certificate-authority-data': Buffer.from(`${authority.trimEnd()}\n`).toString('base64'),
      },
    },
    user: {
      name: user,
      user: { token: token.reveal(), ...(as === undefined ? {} : { as: as.user, 'as-groups': as.groups }) },
    },
    context: {
      name: user,
      context: { cluster, user, ...defined({ namespace }) },
    },
  };
};

/** A kubeconfig with these entries alone. */
export const kubeconfigOf = (entries: KubeconfigEntries): Secret => new Secret(kubeconfigYaml(singleContext(entries)));

/** A value as YAML in the style of kbs's kubeconfigs. */
export const kubeconfigYaml = (value: unknown): string =>
  stringify(value, { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN', lineWidth: 0 });

const singleContext = ({ cluster, user, context }: KubeconfigEntries): object => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [cluster],
  users: [user],
  contexts: [context],
  'current-context': context.name,
});

/**
 * Components of a control plane use the API server on their own host: they start without the endpoint and without
 * another control plane, and their API server is never older than they are. So does the administrator's kubeconfig
 * there, which shows the control plane that is being repaired.
 */
const serverOf = ({ endpoint }: Cluster, client: KubeconfigName, host: ClusterHost | undefined): string =>
  host !== undefined && isControlPlane(host) && client !== 'kube-proxy'
    ? `https://${host.address}:${apiServerPort}`
    : `https://${endpoint.host}:${endpoint.port}`;
