import type { Facts } from '../hosts/facts/facts.js';
import { type ClusterHost, controlPlanes, isControlPlane, isNode } from '../inventory/cluster.js';
import type { ClusterFacts, FailedCheck, FailedHosts } from './check.js';

/** Programs of another cluster: two kubelets, or two API servers, take each other's ports, files and pods. */
export const checkOtherCluster = (host: ClusterHost, { system }: Facts): readonly FailedCheck[] => {
  if (!isNode(host) && !isControlPlane(host)) return [];
  const found = new Set(system?.otherClusters.map((name) => makers[name] ?? 'kubelet'));
  // Its kubelet is kubeadm's.
  if (found.has('kubeadm')) found.delete('kubelet');
  return [...found].map((maker) => ({ detail: `${whatOf[maker]} on this host`, next: endOf[maker] }));
};

type Maker = 'kubeadm' | 'kubelet' | 'k3s' | 'k3s-agent' | 'rke2' | 'k0s' | 'microk8s';

const makers: Readonly<Record<string, Maker>> = {
  kubeadm: 'kubeadm',
  k3s: 'k3s',
  'k3s-agent': 'k3s-agent',
  'rke2-server': 'rke2',
  'rke2-agent': 'rke2',
  k0scontroller: 'k0s',
  k0sworker: 'k0s',
  'snap.microk8s.daemon-kubelite': 'microk8s',
};

const whatOf: Readonly<Record<Maker, string>> = {
  kubeadm: '/etc/kubernetes/manifests has the control plane of another cluster, of kubeadm or a tool that uses it,',
  kubelet: 'a kubelet runs that kbs did not install',
  k3s: 'a server of K3s is installed and started',
  'k3s-agent': 'an agent of K3s is installed and started',
  rke2: 'RKE2 is installed and started',
  k0s: 'k0s is installed and started',
  microk8s: 'MicroK8s is installed and started',
};

const endOf: Readonly<Record<Maker, string>> = {
  kubeadm: 'take the host out of its cluster, then: kubeadm reset',
  kubelet: 'take the host out of its cluster, then: kubeadm reset (for kubeadm), and systemctl disable --now kubelet',
  k3s: 'take the host out of its cluster, then: k3s-uninstall.sh',
  'k3s-agent': 'take the host out of its cluster, then: k3s-agent-uninstall.sh',
  rke2: 'take the host out of its cluster, then: rke2-uninstall.sh',
  k0s: 'take the host out of its cluster, then: k0s stop && k0s reset, and reboot',
  microk8s: 'take the host out of its cluster, then: snap remove --purge microk8s',
};

/**
 * Data of etcd that this cluster did not put there: a member would start with the objects of another cluster. They are of
 * this one where the records of the host say so, or its CA is that of the keyring. A restore puts them aside itself.
 */
export const checkForeignEtcd = ({
  cluster,
  facts,
  keyring,
  restores,
}: Pick<ClusterFacts, 'cluster' | 'facts' | 'keyring' | 'restores'>): FailedHosts =>
  controlPlanes(cluster).flatMap(({ name }) => {
    const seen = facts.get(name);
    const system = seen?.system;
    if (restores || !seen?.etcdMember || system === undefined) return [];
    const isOwn =
      system.etcdClusters.includes(cluster.name) || (seen.clusterCa !== undefined && seen.clusterCa === keyring.ca);
    if (isOwn) return [];
    const [other] = system.etcdClusters;
    return [
      {
        hosts: [name],
        detail: `/var/lib/etcd has data that ${other === undefined ? `cluster ${cluster.name} did not put there` : `are of cluster ${other}, by the records of kbs`}`,
        next: `${
          other === undefined
            ? 'end the cluster that they are of: kbs reset with its inventory, or kubeadm reset; where it is gone'
            : 'kbs reset with the inventory of that cluster; where it is gone'
        }, move them aside: mv /var/lib/etcd/member /var/lib/etcd-member.old`,
      },
    ];
  });
