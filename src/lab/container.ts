import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../failure.js';
import { sh } from '../hosts/shell.js';
import { sha256 } from '../secret.js';
import { type Hierarchies, processesIn } from './cgroups.js';
import { customizeRootfs, forContainers } from './customize-rootfs.js';
import { makeFolder } from './files.js';
import { plantGpus } from './gpu.js';
import { identify } from './identity.js';
import { hostNetwork } from './network.js';
import { hostGroup, hostNamespace, labPrefix, namespaceFile } from './paths.js';
import { isOff, type Platform } from './platform.js';
import { rootImage } from './rootfs.js';
import { shell } from './shell.js';
import type { HostSpec } from './spec.js';

/**
 * A systemd-nspawn machine on this machine's kernel. Each boot makes a new network and a new machine on the same disks:
 * a `reboot` inside ends one machine and starts the next, and nothing of the kernel's state is carried over.
 */
export const container: Platform = {
  commands: () => ({ 'systemd-nspawn': 'systemd-container' }),
  image: ({ places, name, tree }, _host, say) => rootImage(places, name, tree, say),
  /** An overlay on the root image, and /var as a plain copy on the real disk, so that the host may make any mount there. */
  async prepare(folder, host, operatorKey) {
    for (const part of ['upper', 'work', 'root']) await makeFolder(join(folder, part));
    await customizeRootfs(join(folder, 'upper'), forContainers);
    if (host.gpu !== undefined) await plantGpus(join(folder, 'upper'), host.name);
    const key = await identify(join(folder, 'upper'), join(folder, 'image'), host, operatorKey);
    await shell(`making the disk of ${host.name}`, sh`cd ${folder} && cp -a image/var var`);
    return key;
  },
  network: hostNetwork,
  run: (lab, host) => `if ! mountpoint -q root; then
  mount -t overlay ${labPrefix(lab)} -o lowerdir=image,upperdir=upper,workdir=work root
fi
while :; do
  forget ${hostGroup(lab, host.name)}/machine
  network
  set +e
  (
    set -e
    enter ${hostGroup(lab, host.name)}/machine
    exec ${nspawn(lab, host).join(' \\\n      ')}
  )
  status=$?
  set -e
  # The machine asks to be started again.
  [ "$status" = 133 ] || break
done`,
  async reboot({ name, tree }, _state, host) {
    const group = hostGroup(name, host.name);
    const before = await initOf(tree, group);
    if (before === undefined) throw isOff(host);
    process.kill(before, startRebootTarget);
    const deadline = Date.now() + 120_000;
    for (;;) {
      const now = await initOf(tree, group);
      if (now !== undefined && now !== before) return;
      if (Date.now() > deadline)
        throw new Failure('timeout', 'the host did not shut down within 120 s', { where: { host: host.name } });
      await sleep(50);
    }
  },
  bootTime: 120,
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
  '--bind="$PWD/var:/var" --bind=/dev/kmsg $([ ! -d /lib/modules ] || echo --bind-ro=/lib/modules)',
];

/** The name that systemd-nspawn knows a host's machine by: a host name itself, of at most 64 characters. */
const machineName = (lab: string, host: string): string => {
  const name = `${labPrefix(lab)}-${host}`;
  return name.length <= 64 ? name : `${labPrefix(lab)}-${sha256(host).slice(0, 40)}`;
};

/** systemd(1), SIGRTMIN+5: starts reboot.target. */
const startRebootTarget = 34 + 5;

/** The host's process 1, by its number here: the one whose innermost of two process namespaces calls it 1. */
const initOf = async (tree: Hierarchies, group: string): Promise<number | undefined> => {
  for (const pid of await processesIn(tree, group)) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    if (/^NSpid:\t\d+\t1$/m.test(status)) return pid;
  }
  return undefined;
};
