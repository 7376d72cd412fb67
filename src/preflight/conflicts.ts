import type { Facts } from '../hosts/facts/facts.js';
import { type Cluster, type ClusterHost, isControlPlane, isDns, isLoadBalancer, isNode } from '../inventory/cluster.js';
import type { FailedCheck } from './check.js';

/** containerd takes the first file of the folder, by name, and no other. */
export const checkForeignCni = (host: ClusterHost, { cniConfigs }: Facts): readonly FailedCheck[] =>
  cniConfigs
    .filter((name) => isNode(host) && name < ownCniConfig)
    .map((name) => ({
      detail: `/etc/cni/net.d/${name} comes before ${ownCniConfig}, so containerd would take it for the pods' network`,
      next: `uninstall what brought it, or move the file to another folder`,
    }));

const ownCniConfig = '10-kbs.conflist';

/** Drop-ins stand above the unit that kbs writes: one with a command of its own would start another program. */
export const checkForeignUnit = (
  host: ClusterHost,
  { commandDropIns }: Facts,
  cluster: Cluster,
): readonly FailedCheck[] =>
  commandDropIns.flatMap((path) => {
    const [folder = '', file] = path.split('/').slice(-2);
    const unit = folder.replace(/\.d$/, '');
    if (!unitsOf(host, cluster).includes(unit)) return [];
    const mask = `/etc/systemd/system/${folder}`;
    return [
      {
        detail: `${path} sets ExecStart, so ${unit} would not run what kbs installs`,
        next: path.startsWith('/etc/')
          ? `uninstall what brought it, or: rm ${path}`
          : `uninstall what brought it (kubeadm's package brings 10-kubeadm.conf), or: mkdir -p ${mask} && ln -s /dev/null ${mask}/${file}`,
      },
    ];
  });

const unitsOf = (host: ClusterHost, { kubernetes, endpoint }: Cluster): readonly string[] => {
  const services = kubernetes.controlPlane === 'systemd';
  return [
    ...(isNode(host) ? ['containerd', 'kubelet', ...(services ? ['kube-proxy'] : [])] : []),
    ...(isControlPlane(host) && services
      ? ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler']
      : []),
    ...(isLoadBalancer(host) && !endpoint.external ? ['haproxy', 'keepalived'] : []),
    ...(isDns(host) ? ['coredns'] : []),
  ].map((name) => `${name}.service`);
};
