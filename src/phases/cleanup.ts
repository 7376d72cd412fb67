import { raw, sh } from '../hosts/shell.js';
import { uploadedSnapshot } from '../kubernetes/etcdctl.js';
import { isManaged, recordPath } from '../resources/original.js';
import type { Cleanup } from './phase.js';

/** The kubelet's kubeconfig: only kbs writes it, and removes it after this, so its record says whether kbs's kubelet ran. */
const kubeletConf = '/etc/kubernetes/kubelet.conf';

const containerdData = '/var/lib/containerd';

/**
 * Pods on a host that leaves. The kubelet stops first, because it would start them again. The processes of pods are found
 * by control group, so that they also end where containerd hangs; they get a few seconds. Only `kubepods` at the top of
 * the hierarchy is this kubelet's: deeper ones belong to nodes that run as containers here, such as kind's. Of containerd's
 * shims only those of the namespace k8s.io are killed, as Docker may use the same containerd. Then the mounts and network
 * namespaces are removed, which deletes the veth pairs. /var/lib/kubelet itself may be an administrator's own mount and
 * stays mounted; if it was there before kbs, only the kubelet's own files in it are deleted.
 */
export const podCleanup = {
  stop: sh`systemctl stop kubelet.service 2>/dev/null || :
kbs_roots=/sys/fs/cgroup/*/kubepods*
[ ! -e /sys/fs/cgroup/cgroup.controllers ] || kbs_roots=/sys/fs/cgroup/kubepods*
kbs_processes() { find $kbs_roots -name cgroup.procs -exec cat {} + 2>/dev/null | sort -un; }
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
    /usr/local/bin/containerd-shim-runc-v2*)
      tr '\\0' ' ' < "$kbs_shim/cmdline" 2>/dev/null | grep -q -e '-namespace k8s.io ' || continue
      # A killed shim leaves its socket in a folder that it shares with other shims; its own folder names the socket.
      kbs_socket=$(grep -ho '/run/containerd/s/[0-9a-f]*' "$kbs_shim/cwd/bootstrap.json" "$kbs_shim/cwd/address" 2>/dev/null | head -n 1) || :
      kill -KILL "\${kbs_shim#/proc/}" 2>/dev/null || :
      [ -z "$kbs_socket" ] || rm -f "$kbs_socket"
      ;;
  esac
done
awk '{ print $5 }' /proc/self/mountinfo |
  grep -E '^(/var/lib/kubelet/|/run/containerd/io[.]containerd[.](grpc[.]v1[.]cri|[^/]*/k8s[.]io)/|/run/netns/cni-)' | sort -r |
  while read -r kbs_mount; do umount -l "$(printf %b "$kbs_mount")" 2>/dev/null || :; done
rm -f /run/netns/cni-*
# With the systemd cgroup driver these groups are slices: systemd keeps them until they are stopped.
kbs_slices=$(systemctl list-units --all --plain --no-legend --type=slice 2>/dev/null | awk '$1 ~ /^kubepods/ { print $1 }')
[ -z "$kbs_slices" ] || systemctl stop $kbs_slices || :
find $kbs_roots -depth -type d -exec rmdir {} + 2>/dev/null || :`,
  remove: sh`if ${raw(isManaged(kubeletConf))}; then
  for kbs_own in pods plugins plugins_registry pod-resources device-plugins checkpoints \
    cpu_manager_state memory_manager_state dra_manager_state allocated_pods_state actuated_pods_state; do
    rm -rf --one-file-system "/var/lib/kubelet/$kbs_own"
  done
fi`,
} satisfies Cleanup;

/**
 * Waits until the API server has ended: the kubelet ends a static pod some time after its manifest is deleted. An API server
 * removes itself from the endpoints of the Service `kubernetes` when it shuts down, for which its etcd member must run.
 */
export const apiServerCleanup: Cleanup = {
  remove: sh`systemctl -q is-active kubelet.service || exit 0
for kbs_try in $(seq 350); do
  ss -Hltnp 'sport = :6443' 2>/dev/null | grep -q kube-apiserver || break
  sleep 0.1
done`,
};

/** What `kbs etcd restore` backed up or left unfinished, with all secrets of the old cluster: beside the data, or on the same disk. */
export const etcdCleanup: Cleanup = {
  remove: sh`kbs_data=$(readlink -f /var/lib/etcd)
rm -rf --one-file-system "$kbs_data".before-restore-* "$kbs_data"/before-restore-* "$kbs_data/.kbs-restore"
rm -f /var/lib/kbs/restore ${uploadedSnapshot} ${`${uploadedSnapshot}.part`}`,
};

/** `stop` leaves it for `remove` where others use containerd too: by then the originals that tell it have been put back. */
const sharedMark = '/run/kbs-containerd-is-shared';

/**
 * Sockets, tasks and other state of containerd, which a reboot would remove too. Others use containerd as well if its data
 * were there before kbs, or if it has tasks of another namespace than k8s.io, such as Docker's: then what belongs to pods is
 * deleted through containerd while it runs, and the rest of its data stays.
 */
export const runtimeCleanup = {
  stop: sh`if [ -e ${recordPath(containerdData)}.was ] ||
  ls -d /run/containerd/io.containerd.runtime.v2.task/* ${containerdData}/io.containerd.runtime.v2.task/* 2>/dev/null |
    grep -qv '/k8s[.]io$'
then
  : > ${sharedMark}
  # The directory is not kbs's alone any more, even where kbs made it.
  rm -f ${recordPath(containerdData)}.none
  kbs_ctr() { /usr/local/bin/ctr -n k8s.io "$@" 2>/dev/null; }
  for kbs_kind in tasks containers; do
    for kbs_each in $(kbs_ctr $kbs_kind ls -q); do kbs_ctr $kbs_kind rm "$kbs_each" || :; done
  done
  kbs_images=$(kbs_ctr images ls -q)
  [ -z "$kbs_images" ] || kbs_ctr images rm --sync $kbs_images || :
  kbs_ctr namespaces rm k8s.io || :
  if [ ${containerdData}/io.containerd.grpc.v1.introspection/uuid -nt ${recordPath(containerdData)}.was ]; then
    rm -rf --one-file-system ${containerdData}/io.containerd.grpc.v1.introspection
  fi
fi`,
  remove: sh`if [ -e ${sharedMark} ]; then
  rm -rf --one-file-system /run/containerd/io.containerd.*/k8s.io /run/containerd/runc/k8s.io /run/containerd/io.containerd.grpc.v1.cri
  rmdir /run/containerd/runc /run/containerd/io.containerd.sandbox.controller.v1.shim 2>/dev/null || :
  if cd ${containerdData}; then
    rm -rf --one-file-system io.containerd.grpc.v1.cri/*/* io.containerd.*/k8s.io
    for kbs_snapshotter in io.containerd.snapshotter.v1.*; do
      rmdir "$kbs_snapshotter/snapshots" 2>/dev/null && rm -f "$kbs_snapshotter/metadata.db" || :
    done
    # What the other containerd needs of these it makes again when it starts.
    rmdir io.containerd.content.v1.content/blobs/sha256 io.containerd.content.v1.content/blobs \
      io.containerd.grpc.v1.cri/* io.containerd.* 2>/dev/null || :
  fi
else
  rm -rf --one-file-system /run/containerd
fi
rm -rf --one-file-system /run/nri ${sharedMark}
rmdir /run/netns 2>/dev/null || :`,
} satisfies Cleanup;

/** The bridge, kube-proxy's interfaces and tables, traffic shapers, and all rules in chains of Kubernetes and of CNI. */
export const networkCleanup = {
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
