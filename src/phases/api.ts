import { apiServerPort, type ClusterHost } from '../inventory/cluster.js';
import type { Gate } from './phase.js';

/** The kubeconfig that kbs itself uses on a control plane. */
export const adminConf = '/etc/kubernetes/admin.conf';

/** kubectl on a control plane, leaving no cache behind. */
export const kubectl = `/usr/local/bin/kubectl --cache-dir=/dev/null --kubeconfig ${adminConf}`;

/** The same, asking the API server of one control plane. */
export const kubectlAt = ({ address }: ClusterHost): string =>
  `${kubectl} --server=https://${address}:${apiServerPort}`;

export const apiAnswers: Gate = {
  name: 'API answers',
  test: `${kubectl} get --raw /readyz --request-timeout=5s 2>&1`,
  patience: 120,
};
