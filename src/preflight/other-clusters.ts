import type { Facts } from '../hosts/facts/facts.js';
import { type Cluster, hasEtcdMember, isControlPlane, isNode } from '../inventory/cluster.js';
import type { ClusterCheck, ClusterFacts, HostCheck } from './check.js';

/** Programs of another cluster: two kubelets, or two API servers, take each other's ports, files and pods. */
export const otherClusterCheck = {
  name: 'other-cluster',
  scope: 'host',
  summary:
    'nothing of another cluster runs on a node or control plane: kubeadm, K3s, RKE2, k0s, MicroK8s, or a kubelet of others',
  fix: 'take the host out of that cluster, and reset it in the way of its tool',
  check: (host, { system }) => {
    if (!isNode(host) && !isControlPlane(host)) return [];
    return makersIn(system?.otherClusters ?? []).map((maker) => ({
      detail: `${whatOf[maker]} on this host`,
      next: `take the host out of its cluster, then: ${endOf[maker]}; kbs reset --foreign explains it in full`,
    }));
  },
} satisfies HostCheck;

/** A tool that makes clusters; `kubelet` where a kubelet is all that is known. */
export type Maker = 'kubeadm' | 'kubelet' | 'k3s' | 'k3s-agent' | 'rke2' | 'k0s' | 'microk8s';

/** The tools whose clusters a host has, by names of `System.otherClusters` or of tools themselves. */
export const makersIn = (names: readonly string[]): readonly Maker[] => {
  const found = new Set(names.map((name) => makers[name] ?? 'kubelet'));
  // Its kubelet is kubeadm's.
  if (found.has('kubeadm')) found.delete('kubelet');
  // A server of K3s has the files of an agent too.
  if (found.has('k3s')) found.delete('k3s-agent');
  return [...found];
};

const makers: Readonly<Record<string, Maker>> = {
  kubeadm: 'kubeadm',
  k3s: 'k3s',
  'k3s-agent': 'k3s-agent',
  rke2: 'rke2',
  'rke2-server': 'rke2',
  'rke2-agent': 'rke2',
  k0s: 'k0s',
  k0scontroller: 'k0s',
  k0sworker: 'k0s',
  microk8s: 'microk8s',
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
  kubeadm: 'kubeadm reset',
  kubelet: 'kubeadm reset (for kubeadm), and systemctl disable --now kubelet',
  k3s: 'k3s-uninstall.sh',
  'k3s-agent': 'k3s-agent-uninstall.sh',
  rke2: 'rke2-uninstall.sh',
  k0s: 'k0s stop && k0s reset, and reboot',
  microk8s: 'snap remove --purge microk8s',
};

/**
 * Data of etcd that this cluster did not put there: a member would start with the objects of another cluster. They are of
 * this one where the records of the host say so, or its CA is that of the keyring. A restore puts them aside itself.
 */
export const foreignEtcdCheck = {
  name: 'foreign-etcd',
  scope: 'cluster',
  summary: 'where a control plane has data of etcd, this cluster put them there',
  fix: 'end the cluster that they are of, or move them aside',
  check: ({ cluster, facts, keyring, restores }: Pick<ClusterFacts, 'cluster' | 'facts' | 'keyring' | 'restores'>) =>
    cluster.hosts
      .filter((host) => hasEtcdMember(host, cluster))
      .flatMap(({ name }) => {
        const seen = facts.get(name);
        if (restores || seen?.system === undefined || !hasForeignEtcd(seen, cluster, keyring.ca)) return [];
        const [other] = seen.system.etcdClusters;
        return [
          {
            hosts: [name],
            detail: `/var/lib/etcd has data that ${other === undefined ? `cluster ${cluster.name} did not put there` : `are of cluster ${other}, by the records of kbs`}`,
            next: `${
              other === undefined
                ? `end the cluster that they are of: kbs reset with its inventory, or what kbs reset --foreign explains; where it is gone`
                : 'kbs reset with the inventory of that cluster; where it is gone'
            }, move them aside: mv /var/lib/etcd/member /var/lib/etcd-member.old`,
          },
        ];
      }),
} satisfies ClusterCheck;

/** Whether a host has data of etcd that this cluster did not put there; false where that cannot be told. */
export const hasForeignEtcd = (
  { etcdMember, system, clusterCa }: Facts,
  { name }: Pick<Cluster, 'name'>,
  ca: string | undefined,
): boolean => {
  if (!etcdMember || system === undefined) return false;
  return !system.etcdClusters.includes(name) && (clusterCa === undefined || clusterCa !== ca);
};
