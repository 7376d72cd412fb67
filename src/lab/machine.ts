import { quote } from '../hosts/shell.js';
import { delayAgain } from './delay.js';
import { cables } from './network.js';
import { goingDown, hostFolder, hostGroup, type Places } from './paths.js';
import { platformOf } from './platforms.js';
import type { HostSpec } from './spec.js';

/**
 * A host from power on to power off, as a script that a person can read and run; its folder comes from `prepareDisk`.
 */
export const machineScript = (places: Places, lab: string, host: HostSpec): string => {
  const platform = platformOf(host);
  return `#!/bin/sh
# Host ${host.name} of the lab ${lab}.
set -eu
umask 022
cd ${quote(hostFolder(places, lab, host.name))}

${enterGroup}
network() {
${platform.network(lab, host)}
${delayAgain(places, lab, host.cables)}
}

# What is off has no carrier: the kernel of a container, which is this machine's, would go on answering for its addresses.
unplug() {
${cables(lab, host, 'down')}
}

mayRun() {
  [ ! -e ${quote(goingDown(places, lab))} ] || exit 0
}

mayRun
enter ${hostGroup(lab, host.name)}/boot
mayRun
${platform.run(lab, host)}
unplug
exit "$status"
`;
};

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
    # One whose last process has just died is busy for some milliseconds.
    for try in 1 2 3 4 5 6 7 8 9 10; do
      [ -d "$dir/$1" ] || break
      find "$dir/$1" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.1
    done
  done < /proc/self/mounts
}

unified() {
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo 1; else echo 0; fi
}
`;
