import { raw, type Script, sh } from '../hosts/shell.js';
import { apiServerPort, type ClusterHost } from '../inventory/cluster.js';

/** The administrator's kubeconfig on a control plane. */
export const adminConf = '/etc/kubernetes/admin.conf';

/** kubectl on a control plane, as an administrator. It writes no cache. */
export const kubectl = sh`/usr/local/bin/kubectl --cache-dir=/dev/null --kubeconfig ${adminConf}`;

/** The same, for the API server of this control plane. */
export const kubectlAt = ({ address }: ClusterHost): Script =>
  sh`${raw(kubectl)} --server=${`https://${address}:${apiServerPort}`}`;

/** A test: an API server is ready. `client` is `kubectl`, or `kubectlAt` a host. Timeout in seconds. */
export const readyz = (client: Script, timeout = 5): Script =>
  sh`${raw(client)} get --raw /readyz --request-timeout=${timeout}s`;

/** Prints the API server's own checks, one a line, also where one fails: `[+]etcd ok`, `readyz check passed`. */
export const readyzChecks = (client: Script, timeout: number): Script =>
  sh`${raw(client)} get --raw '/readyz?verbose' --request-timeout=${timeout}s 2>&1 || :`;
