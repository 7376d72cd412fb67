import { quote } from '../../hosts/shell.js';
import { type Arch, isForeign, processors } from './processor.js';

/**
 * Shell that defines `in_root ROOT COMMAND…`, which runs a command of a root of an architecture. For programs of another
 * one a kernel has to know an emulator; it is told so in a user namespace that ends with the command, so that nothing
 * changes for the machine. Kernels older than 6.7 cannot do that, and use the emulator that Debian's package registers.
 */
export const inRoot = (arch: Arch): string => (isForeign(arch) ? emulating(arch) : 'in_root() {\n  chroot "$@"\n}\n');

const emulating = (arch: Arch): string => `in_root() {
  if [ -e /proc/sys/fs/binfmt_misc/${processors[arch].user} ]; then
    chroot "$@"
    return
  fi
  # debootstrap makes it a link where it takes this machine for a container.
  if [ -L "$1/proc" ]; then rm "$1/proc"; mkdir "$1/proc"; fi
  unshare --user --mount --propagation private sh -euc ${quote(inNamespace(arch))} sh "$@" &
  until [ "$(readlink "/proc/$!/ns/user")" != "$(readlink /proc/self/ns/user)" ]; do sleep 0.1; done
  # All users are themselves there.
  echo 0 0 4294967295 > "/proc/$!/gid_map"
  echo 0 0 4294967295 > "/proc/$!/uid_map"
  wait $!
}
`;

/** A process that is no user of its namespace yet loses its capabilities; what it starts as root has them all. */
const inNamespace = (arch: Arch): string => `until grep -q . /proc/self/uid_map; do sleep 0.1; done
mount -t binfmt_misc binfmt_misc /mnt || {
  echo 'this kernel takes no emulator for a namespace: it is older than 6.7, and no package has registered ${processors[arch].user}' >&2
  exit 1
}
printf %s ":kbs-lab:M::${processors[arch].magic}:$(command -v ${processors[arch].user}-static):OCF" > /mnt/register
mount --rbind /proc "$1/proc"
exec chroot "$@"
`;
