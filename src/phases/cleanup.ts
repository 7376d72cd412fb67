import { isManaged } from '../resources/original.js';
import type { Cleanup } from './phase.js';

/** The kubelet's kubeconfig: kbs alone writes it, and takes it away only after this, so its note says whose kubelet ran. */
const kubeletConf = '/etc/kubernetes/kubelet.conf';

/**
 * Pods on a host that leaves: whoever could start them again stops first. They are asked to end and get a few seconds,
 * by the processes in their control groups, so that a containerd that hangs keeps nobody alive. Then their mounts and
 * network namespaces go; a namespace takes its end of each veth pair with it. /var/lib/kubelet itself may be an
 * administrator's own mount and stays one. Where it was there before kbs, what the kubelet made in it goes by name.
 */
export const pods = {
  stop: `systemctl stop kubelet.service 2>/dev/null || :
kbs_processes() { find /sys/fs/cgroup -path '*kubepods*' -name cgroup.procs -exec cat {} + 2>/dev/null | sort -un; }
kbs_pids=$(kbs_processes)
[ -z "$kbs_pids" ] || kill -TERM $kbs_pids 2>/dev/null || :
for kbs_try in $(seq 50); do
  [ -n "$(kbs_processes)" ] || break
  sleep 0.1
done
for kbs_try in $(seq 50); do
  kbs_pids=$(kbs_processes)
  [ -n "$kbs_pids" ] || break
  kill -KILL $kbs_pids 2>/dev/null || :
  sleep 0.1
done
for kbs_shim in /proc/[0-9]*; do
  case $(readlink "$kbs_shim/exe" 2>/dev/null) in
    /usr/local/bin/containerd-shim-runc-v2*) kill -KILL "\${kbs_shim#/proc/}" 2>/dev/null || : ;;
  esac
done
awk '{ print $5 }' /proc/self/mountinfo | grep -E '^(/var/lib/kubelet/|/run/containerd/|/run/netns/cni-)' | sort -r |
  while read -r kbs_mount; do umount -l "$(printf %b "$kbs_mount")" 2>/dev/null || :; done
rm -f /run/netns/cni-*
find /sys/fs/cgroup -depth -type d -path '*kubepods*' -exec rmdir {} + 2>/dev/null || :`,
  remove: `if ${isManaged(kubeletConf)}; then
  for kbs_own in pods plugins plugins_registry pod-resources device-plugins checkpoints \
    cpu_manager_state memory_manager_state dra_manager_state allocated_pods_state actuated_pods_state; do
    rm -rf --one-file-system "/var/lib/kubelet/$kbs_own"
  done
fi`,
} satisfies Cleanup;

/**
 * A kubelet ends a static pod some time after its manifest is gone. An API server that ends in peace takes itself out of
 * the Service `kubernetes`; so it gets the time, while its etcd member is still one.
 */
export const apiServer: Cleanup = {
  remove: `systemctl -q is-active kubelet.service || exit 0
for kbs_try in $(seq 350); do
  ss -Hltnp 'sport = :6443' 2>/dev/null | grep -q kube-apiserver || break
  sleep 0.1
done`,
};

/** What `kbs etcd restore` put aside or left half done, with all secrets of the cluster that was: beside the data, or with them on their disk. */
export const etcdData: Cleanup = {
  remove: `kbs_data=$(readlink -f /var/lib/etcd)
rm -rf --one-file-system "$kbs_data".before-restore-* "$kbs_data"/before-restore-* "$kbs_data/.kbs-restore"`,
};

/** Sockets and tasks of containerd and what it made for pods, which a reboot would have taken too. */
export const runtimeState: Cleanup = {
  remove: 'rm -rf --one-file-system /run/containerd /run/nri; rmdir /run/netns 2>/dev/null || :',
};

/** The bridge, what shapes pods' traffic, and the rules of host ports. */
export const podNetwork: Cleanup = {
  remove: `for kbs_link in $(ip -o link | awk -F '[ :@]+' '{ print $2 }'); do
  case $kbs_link in cni0 | kube-ipvs0 | bwp*) ip link delete "$kbs_link" 2>/dev/null || : ;; esac
done
for kbs_table in 'ip kube-proxy' 'ip6 kube-proxy' 'inet cni_hostport'; do
  nft delete table $kbs_table 2>/dev/null || :
done
for kbs_tool in iptables ip6tables; do
  command -v $kbs_tool-save >/dev/null || continue
  kbs_rules=$($kbs_tool-save -c 2>/dev/null) || continue
  case $kbs_rules in *KUBE-* | *CNI-*) ;; *) continue ;; esac
  printf '%s\\n' "$kbs_rules" | grep -v -e KUBE- -e CNI- | $kbs_tool-restore -c
done
rm -f /run/xtables.lock
# Kept in nftables, the tables of iptables stay when the last rule is gone; empty ones that accept do nothing.
for kbs_family in ip ip6; do
  for kbs_table in filter mangle nat raw; do
    kbs_rules=$(nft list table $kbs_family $kbs_table 2>/dev/null) || continue
    printf '%s\\n' "$kbs_rules" | grep -qvE '^(table .*|[[:space:]]*chain [A-Z]+ \\{|[[:space:]]*type .* policy accept;|[[:space:]]*\\}|[[:space:]]*|#.*)$' ||
      nft delete table $kbs_family $kbs_table
  done
done`,
};
