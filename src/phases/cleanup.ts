import { raw, sh } from '../hosts/shell.js';
import { uploadedSnapshot } from '../kubernetes/etcdctl.js';
import { isManaged } from '../resources/original.js';
import type { Cleanup } from './phase.js';

/** The kubelet's kubeconfig: only kbs writes it, and removes it after this, so its record says whether kbs's kubelet ran. */
const kubeletConf = '/etc/kubernetes/kubelet.conf';

/**
 * Pods on a host that leaves. The kubelet stops first, because it would start them again. Their processes are found by
 * control group, so that they also end where containerd hangs, and get a few seconds to end. Then their mounts and
 * network namespaces go; with a namespace goes its end of each veth pair. /var/lib/kubelet itself may be an
 * administrator's own mount and stays mounted. Where it was there before kbs, the kubelet's files go by name.
 */
export const pods = {
  stop: sh`systemctl stop kubelet.service 2>/dev/null || :
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
# With the systemd driver the kubelet has systemd make them, and systemd holds them until they are stopped.
kbs_slices=$(systemctl list-units --all --plain --no-legend --type=slice 2>/dev/null | awk '$1 ~ /^kubepods/ { print $1 }')
[ -z "$kbs_slices" ] || systemctl stop $kbs_slices || :
find /sys/fs/cgroup -depth -type d -path '*kubepods*' -exec rmdir {} + 2>/dev/null || :`,
  remove: sh`if ${raw(isManaged(kubeletConf))}; then
  for kbs_own in pods plugins plugins_registry pod-resources device-plugins checkpoints \
    cpu_manager_state memory_manager_state dra_manager_state allocated_pods_state actuated_pods_state; do
    rm -rf --one-file-system "/var/lib/kubelet/$kbs_own"
  done
fi`,
} satisfies Cleanup;

/**
 * A kubelet ends a static pod some time after its manifest is gone. An API server that ends in good order removes itself
 * from the Service `kubernetes`; so it gets the time while its etcd member still runs.
 */
export const apiServer: Cleanup = {
  remove: sh`systemctl -q is-active kubelet.service || exit 0
for kbs_try in $(seq 350); do
  ss -Hltnp 'sport = :6443' 2>/dev/null | grep -q kube-apiserver || break
  sleep 0.1
done`,
};

/** What `kbs etcd restore` backed up or left unfinished, with all secrets of the old cluster: beside the data, or on the same disk. */
export const etcdData: Cleanup = {
  remove: sh`kbs_data=$(readlink -f /var/lib/etcd)
rm -rf --one-file-system "$kbs_data".before-restore-* "$kbs_data"/before-restore-* "$kbs_data/.kbs-restore"
rm -f /var/lib/kbs/restore ${uploadedSnapshot} ${`${uploadedSnapshot}.part`}`,
};

/** Sockets and tasks of containerd and what it made for pods; a reboot would remove them too. */
export const runtimeState = {
  remove: sh`rm -rf --one-file-system /run/containerd /run/nri; rmdir /run/netns 2>/dev/null || :`,
} satisfies Cleanup;

/** The bridge, kube-proxy's interfaces and tables, traffic shapers, and all rules in chains of Kubernetes and of CNI. */
export const podNetwork = {
  remove: sh`for kbs_link in $(ip -o link | awk -F '[ :@]+' '{ print $2 }'); do
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
} satisfies Cleanup;
