import { rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFile, makeFolder } from './files.js';

/** What is added to a plain Debian root: texts, and links with their targets, by path from the root. */
export interface Additions {
  readonly files: Readonly<Record<string, string>>;
  readonly links: Readonly<Record<string, string>>;
}

/** Adds to a plain Debian root what makes it boot fast as a lab host, the same on every host of a platform. */
export const customizeRootfs = async (root: string, { files, links }: Additions): Promise<void> => {
  for (const folder of foldersOf([...Object.keys(files), ...Object.keys(links)])) await makeFolder(join(root, folder));
  for (const [path, content] of Object.entries(files)) await makeFile(join(root, path), content);
  for (const [path, target] of Object.entries(links)) {
    await rm(join(root, path), { force: true });
    await symlink(target, join(root, path));
  }
};

/** The folders of files, parents before children, each with the mode that it has in the image. */
export const foldersOf = (paths: readonly string[]): readonly string[] => [
  ...new Set(
    paths.flatMap((path) => {
      const parts = dirname(path).split('/');
      return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    }),
  ),
];

export const units = 'etc/systemd/system';

/** Links that mask units. */
export const masked = (names: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(names.map((name) => [`${units}/${name}`, '/dev/null']));

/** For hosts of every platform. */
export const forAll: Additions = {
  files: {
    'etc/systemd/journald.conf.d/kbs-lab.conf': '[Journal]\nStorage=persistent\nSystemMaxUse=64M\n',
    // Ninety seconds by default: a pod that ignores SIGTERM would make every reboot as long.
    'etc/systemd/system.conf.d/kbs-lab.conf': '[Manager]\nDefaultTimeoutStopSec=10s\n',
  },
  links: {
    // What costs memory or time at boot or belongs to real hardware.
    ...masked([
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
    ]),
    // Users other than root would be refused in the first seconds of a boot.
    'etc/tmpfiles.d/systemd-nologin.conf': '/dev/null',
  },
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

export const forContainers: Additions = {
  files: {
    ...forAll.files,
    // With an empty one a look-up fails at once; a resolver that drops packets would make pods slow.
    'etc/resolv.conf': '',
    [`${units}/kbs-lab-mounts.service`]: mounts,
  },
  links: { ...forAll.links, [`${units}/sysinit.target.wants/kbs-lab-mounts.service`]: '../kbs-lab-mounts.service' },
};
