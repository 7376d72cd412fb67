import { apiServerPort, type ClusterHost } from '../inventory/cluster.js';

/** The administrator's kubeconfig on a control plane. */
export const adminConf = '/etc/kubernetes/admin.conf';

/** kubectl on a control plane, as an administrator. It writes no cache. */
export const kubectl = `/usr/local/bin/kubectl --cache-dir=/dev/null --kubeconfig ${adminConf}`;

/** The same, for the API server of this control plane. */
export const kubectlAt = ({ address }: ClusterHost): string =>
  `${kubectl} --server=https://${address}:${apiServerPort}`;

/** Shell: whether an API server is ready. `client` is `kubectl`, or `kubectlAt` a host. Timeout in seconds. */
export const readyz = (client: string, timeout = 5): string =>
  `${client} get --raw /readyz --request-timeout=${timeout}s`;
