import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../failure.js';
import { quote } from '../../hosts/shell.js';
import { consoleOf } from '../lab.js';
import { tapsIn } from '../network.js';
import { hostGroup, switchNamespace } from '../paths.js';
import type { Platform } from '../platform.js';
import type { GuestSpec, HostSpec } from '../spec.js';
import { makeGuestDisk } from './disk.js';
import { guestImage } from './image.js';
import { onGuest } from './on-guest.js';
import { isForeign, processors } from './processor.js';
import { type Recipe, recipes } from './recipes.js';

/**
 * A QEMU guest with a kernel of its own. QEMU runs in the switch's namespace, because a tap on a bridge is the guest's
 * cable; killing, freezing and counting its memory are those of QEMU's control group.
 */
export const guest: Platform = {
  commands: (host) => {
    const { arch } = recipeOf(host);
    const { system, systemPackage, user } = processors[arch];
    return {
      [system]: systemPackage,
      'qemu-img': 'qemu-utils',
      'mkfs.ext4': 'e2fsprogs',
      ...(isForeign(arch) ? { [`${user}-static`]: 'qemu-user-static' } : {}),
    };
  },
  image: (lab, host, say) => guestImage(lab, guestOf(host).image, say),
  prepare: (folder, host, operatorKey) => makeGuestDisk(folder, host, operatorKey, recipeOf(host).links),
  network: tapsIn,
  run: (lab, host) => `network
set +e
(
  set -e
  enter ${hostGroup(lab, host.name)}/machine
  exec ip netns exec ${switchNamespace(lab)} ${qemu(host).join(' \\\n    ')}
)
status=$?
set -e`,
  /** Over SSH: a reboot inside is no new process here. */
  async reboot({ places, name }, state, host) {
    const before = await bootOf(state, host);
    await onGuest(state, host, 'systemctl --no-block reboot');
    const deadline = Date.now() + rebootTime * 1000;
    for (;;) {
      const now = await bootOf(state, host).catch(() => before);
      if (now !== before) return;
      if (Date.now() > deadline) {
        throw new Failure('timeout', `the host did not come back within ${rebootTime} s`, {
          where: { host: host.name },
          next: `read ${consoleOf(places, name, host.name)}`,
        });
      }
      await sleep(1000);
    }
  },
  bootTime: 300,
};

/** Without /dev/kvm a guest takes about half a minute to boot on an idle machine, and minutes on a busy one. */
const rebootTime = 420;

const guestOf = ({ name, guest: spec }: HostSpec): GuestSpec => {
  if (spec === undefined) throw new RangeError(`${name} is no guest`);
  return spec;
};

const recipeOf = (host: HostSpec): Recipe => recipes[guestOf(host).image];

/**
 * qemu(1). The kernel has NVMe and ext4 built in, so it needs no initial RAM disk. The second disk is of
 * another kind, because disks of one kind are numbered in the order in which they happen to answer. Flushes of the guest reach
 * the disk, so a power cut loses what it would lose on a real machine.
 */
const qemu = (host: HostSpec): readonly string[] => {
  const { memory, cpus } = guestOf(host);
  const { arch } = recipeOf(host);
  const { system, machine, emulated, console } = processors[arch];
  return [
    `${system} -name ${host.name} -nodefaults -no-user-config -display none -monitor none`,
    `-machine ${machine} $(head -n 1 image/accelerator) -cpu ${isForeign(arch) ? emulated : 'max'} -smp ${cpus} -m ${memory}`,
    '-drive file=disk.qcow2,if=none,id=root,discard=unmap -drive file=identity.tar,format=raw,if=none,id=identity',
    '-device nvme,drive=root,serial=root -device virtio-blk-pci,drive=identity',
    ...host.cables.map(
      ({ plug, link, mac }) =>
        `-netdev tap,id=${link},ifname=${plug},script=no,downscript=no -device virtio-net-pci,netdev=${link},mac=${mac}`,
    ),
    `-device virtio-rng-pci -serial stdio -kernel image/vmlinuz -append ${quote([...kernelArguments, `console=${console}`].join(' '))}`,
  ];
};

/** kernel-command-line(7). Tables of inodes are not initialised in the background: that would cost minutes of a core. */
const kernelArguments = [
  'root=/dev/nvme0n1 rw rootwait rootflags=noinit_itable',
  'init=/usr/lib/kbs-lab/init net.ifnames=0 mitigations=off',
];

const bootOf = (state: string, host: HostSpec): Promise<string> =>
  onGuest(state, host, 'cat /proc/sys/kernel/random/boot_id');
