import { quote } from '../hosts/shell.js';
import { sha256 } from '../secret.js';
import { delayAgain } from './delay.js';
import { cables, hostNetwork } from './network.js';
import { goingDown, hostFolder, hostGroup, hostNamespace, labPrefix, namespaceFile, type Places } from './paths.js';
import type { HostSpec } from './spec.js';

/**
 * A host from power on to power off, as a script that a person can read and run; its folder comes from `prepareDisk`.
 * Each boot makes a new network and a new machine on the same disks: a `reboot` inside ends one machine and starts the
 * next, and nothing of the kernel's state is carried over.
 */
export const machineScript = (places: Places, lab: string, host: HostSpec): string => {
  const group = hostGroup(lab, host.name);
  return `#!/bin/sh
# Host ${host.name} of the lab ${lab}.
set -eu
umask 022
cd ${quote(hostFolder(places, lab, host.name))}

${enterGroup}
network() {
${hostNetwork(lab, host)}
${delayAgain(places, lab, host.cables)}
}

# What is off has no carrier: its kernel, which is this machine's, would go on answering for its addresses.
unplug() {
${cables(lab, host, 'down')}
}

mayRun() {
  [ ! -e ${quote(goingDown(places, lab))} ] || exit 0
}

mayRun
enter ${group}/boot
mayRun
if ! mountpoint -q root; then
  mount -t overlay ${labPrefix(lab)} -o lowerdir=image,upperdir=upper,workdir=work root
fi
while :; do
  forget ${group}/machine
  network
  set +e
  (
    set -e
    enter ${group}/machine
    exec ${nspawn(lab, host).join(' \\\n      ')}
  )
  status=$?
  set -e
  # The machine asks to be started again.
  [ "$status" = 133 ] || { unplug; exit "$status"; }
done
`;
};

/** The name that systemd-nspawn knows a host's machine by: a host name itself, of at most 64 characters. */
const machineName = (lab: string, host: string): string => {
  const name = `${labPrefix(lab)}-${host}`;
  return name.length <= 64 ? name : `${labPrefix(lab)}-${sha256(host).slice(0, 40)}`;
};

/**
 * systemd-nspawn(1) and https://systemd.io/ENVIRONMENT/. With --keep-unit a reboot inside is exit status 133.
 * Without a hierarchy of its own (v1) the machine gets this one's controllers; with cgroup v2 it is delegated a tree.
 */
const nspawn = (lab: string, host: HostSpec): readonly string[] => [
  'env SYSTEMD_NSPAWN_API_VFS_WRITABLE=1 SYSTEMD_NSPAWN_UNIFIED_HIERARCHY="$(unified)" systemd-nspawn --quiet --boot',
  `--directory=root --machine=${machineName(lab, host.name)} --hostname=${host.name}`,
  '--register=no --keep-unit --console=pipe',
  "--capability=all --system-call-filter='@keyring bpf'",
  `--network-namespace-path=${namespaceFile(hostNamespace(lab, host.name))} --resolv-conf=off --timezone=off`,
  // The overlay carries no overlays: containerd, kubelet and etcd need a real file system.
  '--bind="$PWD/var:/var" --bind=/dev/kmsg $(modules)',
];

/**
 * `enter GROUP` puts the shell into that group of every hierarchy. With cgroup v1 a cpuset refuses processes until it
 * is told its processors; with v2 a child has only the controllers that its parent hands down. `forget GROUP` removes
 * what a machine before left there.
 */
const enterGroup = `enter() {
  while read -r _ dir type _; do
    case $type in cgroup | cgroup2) ;; *) continue ;; esac
    for part in $(echo "$1" | tr / ' '); do
      if [ "$(unified)" = 1 ]; then
        for controller in $(cat "$dir/cgroup.controllers"); do
          echo "+$controller" > "$dir/cgroup.subtree_control" 2>/dev/null || :
        done
      fi
      mkdir -p "$dir/$part"
      if [ "$(unified)" = 0 ] && [ -e "$dir/cpuset.cpus" ]; then
        cat "$dir/cpuset.cpus" > "$dir/$part/cpuset.cpus"
        cat "$dir/cpuset.mems" > "$dir/$part/cpuset.mems"
      fi
      dir=$dir/$part
    done
    echo 0 > "$dir/cgroup.procs"
  done < /proc/self/mounts
}

# Control groups outlive their processes, and a kubelet waits three seconds for each container that it finds in one.
forget() {
  while read -r _ dir type _; do
    case $type in cgroup | cgroup2) ;; *) continue ;; esac
    [ ! -d "$dir/$1" ] || find "$dir/$1" -depth -type d -exec rmdir {} + || :
  done < /proc/self/mounts
}

unified() {
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo 1; else echo 0; fi
}

modules() {
  if [ -d /lib/modules ]; then echo --bind-ro=/lib/modules; fi
}
`;
