import { networkOf } from '../inventory/addresses.js';
import { type Cluster, type ClusterHost, isControlPlane, isDns, isLoadBalancer, isNode } from '../inventory/cluster.js';
import type { HostCheck } from './check.js';

/**
 * containerd takes the first file of the folder, by name, and no other. The CNI plugin refuses a bridge that has another
 * address than the first of the host's pods.
 */
export const foreignCniCheck = {
  name: 'foreign-cni',
  scope: 'host',
  summary:
    'no other CNI configuration comes before that of kbs on a node, and a bridge cni0 has the network of its pods',
  fix: 'uninstall the other network plugin, or move its file out of /etc/cni/net.d; `ip link delete cni0`',
  check: (host, { cniConfigs, network }) => {
    if (!isNode(host)) return [];
    const bridged = network?.links.find(({ name }) => name === 'cni0')?.addresses ?? [];
    return [
      ...cniConfigs
        .filter((name) => name < ownCniConfig)
        .map((name) => ({
          detail: `/etc/cni/net.d/${name} comes before ${ownCniConfig}, so containerd would take it for the pods' network`,
          next: `uninstall what brought it, or move the file to another folder`,
        })),
      ...bridged
        .filter((address) => networkOf(address) !== host.podCidr)
        .map((address) => ({
          detail: `the bridge cni0 has the address ${address} of another cluster, and pods of this host are in ${host.podCidr}: none would start`,
          next: 'ip link delete cni0; where pods of that cluster still run, remove the host from it first',
        })),
    ];
  },
} satisfies HostCheck;

/** Routes and rules of another network plugin may take packets of pods, as long as its interfaces are there. */
export const foreignLinksCheck = {
  name: 'foreign-link',
  scope: 'host',
  warns: true,
  summary: 'a node has no interface of another network plugin: Flannel, Calico, Cilium and others',
  fix: 'uninstall the other network plugin, then reboot, or delete its interfaces',
  check: (host, { network }) => {
    const found = (network?.links ?? []).map(({ name }) => name).filter((name) => pluginLinks.test(name));
    const [first] = found;
    if (!isNode(host) || first === undefined) return [];
    return [
      {
        detail: `${found.slice(0, 3).join(', ')}${found.length > 3 ? ` and ${found.length - 3} more` : ''}: interfaces of another network plugin, whose rules may take or drop packets of pods`,
        next: `uninstall that plugin, then reboot, or: ip link delete ${first}`,
      },
    ];
  },
} satisfies HostCheck;

/** Flannel, Calico, Cilium, Weave Net, kube-router, Antrea, OVN-Kubernetes. */
const pluginLinks = /^(flannel\.|flannel-|cali|vxlan\.calico|cilium_|weave$|kube-bridge$|antrea-gw|ovn-k8s-)/;

const ownCniConfig = '10-kbs.conflist';

/** Drop-ins stand above the unit that kbs writes: one with a command of its own would start another program. */
export const foreignUnitCheck = {
  name: 'foreign-unit',
  scope: 'host',
  summary: 'no drop-in of another package changes what the units of kbs start',
  fix: 'uninstall that package, or mask its drop-in as the message says',
  check: (host, { commandDropIns }, cluster) =>
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
    }),
} satisfies HostCheck;

/** Settings of the owner's are left alone; they tell why a node differs from others. */
export const dropInsCheck = {
  name: 'drop-in',
  scope: 'host',
  warns: true,
  summary:
    'kubelet and containerd of a node have the settings of kbs and no others; drop-ins of yours stay as they are',
  fix: 'nothing, where they are meant',
  check: (host, { commandDropIns, dropIns }) => {
    const found = dropIns.filter((path) => !commandDropIns.includes(path));
    if (!isNode(host) || found.length === 0) return [];
    return [
      {
        detail: `settings that kbs leaves as they are: ${found.join(', ')}`,
        next: 'nothing, where they are meant; otherwise delete them, then: systemctl daemon-reload, and restart kubelet or containerd',
      },
    ];
  },
} satisfies HostCheck;

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
