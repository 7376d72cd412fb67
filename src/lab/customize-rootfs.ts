import { rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFile, makeFolder } from './files.js';

/** Adds to a plain Debian root what makes it boot fast as a lab host, the same on every host. */
export const customizeRootfs = async (root: string): Promise<void> => {
  for (const folder of folders) await makeFolder(join(root, folder));
  for (const [path, content] of Object.entries(files)) await makeFile(join(root, path), content);
  for (const [path, target] of Object.entries(links)) {
    await rm(join(root, path), { force: true });
    await symlink(target, join(root, path));
  }
};

/** systemd-nspawn mounts control groups read-only; the kubelet and containerd make their own, and share mounts. */
const mounts = `[Unit]
Description=Writable control groups and shared mounts, as on a machine of its own
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/mount --make-rshared /
ExecStart=/bin/sh -euc 'for dir in /sys/fs/cgroup /sys/fs/cgroup/*; do if mountpoint -q "$dir"; then mount -o remount,bind,rw "$dir"; fi; done'

[Install]
WantedBy=sysinit.target
`;

const units = 'etc/systemd/system';

const files = {
  // With an empty one a look-up fails at once; a resolver that drops packets would make pods slow.
  'etc/resolv.conf': '',
  [`${units}/kbs-lab-mounts.service`]: mounts,
  'etc/systemd/journald.conf.d/kbs-lab.conf': '[Journal]\nStorage=persistent\nSystemMaxUse=64M\n',
  // Ninety seconds by default: a pod that ignores SIGTERM would make every reboot as long.
  'etc/systemd/system.conf.d/kbs-lab.conf': '[Manager]\nDefaultTimeoutStopSec=10s\n',
};

/** What costs memory or time at boot or belongs to real hardware. */
const uselessUnits = [
  'apt-daily-upgrade.timer',
  'apt-daily.timer',
  'console-getty.service',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'e2scrub_reap.service',
  'fstrim.timer',
  'getty.target',
  'systemd-pstore.service',
  'systemd-tmpfiles-clean.timer',
];

const links: Readonly<Record<string, string>> = {
  ...Object.fromEntries(uselessUnits.map((unit) => [`${units}/${unit}`, '/dev/null'])),
  [`${units}/sysinit.target.wants/kbs-lab-mounts.service`]: '../kbs-lab-mounts.service',
  // Users other than root would be refused in the first seconds of a boot.
  'etc/tmpfiles.d/systemd-nologin.conf': '/dev/null',
};

/** Parents before children, each with the mode that it has in the image. */
const folders = [
  ...new Set(
    [...Object.keys(files), ...Object.keys(links)].flatMap((path) => {
      const parts = dirname(path).split('/');
      return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    }),
  ),
];
