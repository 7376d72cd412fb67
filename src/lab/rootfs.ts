import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { sh } from '../hosts/shell.js';
import { sha256 } from '../secret.js';
import { buildFolder, clearBuild } from './builds.js';
import { enter, type Hierarchies } from './cgroups.js';
import { exists } from './files.js';
import type { Progress } from './lab.js';
import { labGroup, type Places } from './paths.js';
import { shell } from './shell.js';

/** The root file system that every lab host starts from: made once, under a name that is the digest of its recipe. */
export const rootImage = async (places: Places, lab: string, tree: Hierarchies, say: Progress): Promise<string> => {
  const image = join(places.cache, `rootfs-${sha256(JSON.stringify(recipe)).slice(0, 12)}`);
  if (await exists(image)) return image;
  say(`making the root image of lab hosts (${recipe.suite}, once, about two minutes)`);
  const building = buildFolder(image, lab);
  await clearBuild(building);
  await mkdir(places.cache, { recursive: true });
  await shell('debootstrap', enter(tree, `${labGroup(lab)}/up`) + debootstrap(building));
  await rename(building, image).catch(async (error: unknown) => {
    await clearBuild(building);
    if (!(await exists(image))) throw error; // else another lab was faster
  });
  return image;
};

const debootstrap = (folder: string): string => sh`
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
umask 022
debootstrap --force-check-gpg --variant=minbase --include=${recipe.packages.join(',')} ${recipe.suite} ${folder} ${recipe.mirror} >&2
cd ${folder}
rm -rf var/cache/apt/* var/lib/apt/lists/* var/log/* usr/share/doc/* usr/share/man/* usr/share/locale/*
rm -f etc/ssh/ssh_host_* etc/hostname
: > etc/machine-id
`;

export const debianMirror = 'http://deb.debian.org/debian';

/** What every lab host has, container or guest. */
export const hostPackages = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'openssh-server',
  'iproute2',
  'nftables',
  'iptables',
  'conntrack',
  'ipset',
  'kmod',
  'procps',
  'ca-certificates',
  'curl',
  'socat',
  'sudo',
  'iputils-ping',
];

const recipe = { suite: 'bookworm', mirror: debianMirror, packages: hostPackages };
