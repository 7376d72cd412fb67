import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { sh } from '../../hosts/shell.js';
import { sha256 } from '../../secret.js';
import { buildFolder, clearBuild } from '../builds.js';
import { enter } from '../cgroups.js';
import { customizeRootfs } from '../customize-rootfs.js';
import { exists } from '../files.js';
import type { Progress } from '../lab.js';
import { labGroup } from '../paths.js';
import type { LabAt } from '../platform.js';
import { shell } from '../shell.js';
import type { GuestImage } from '../spec.js';
import { probeAccelerator } from './accelerator.js';
import { type Recipe, recipes } from './recipes.js';

/**
 * The folder of an image of guests: `disk.raw`, `vmlinuz`, `accelerator`, and `etc/passwd` and the like. It is made once
 * from the packages of the distribution, under a name with the digest of its recipe.
 */
export const guestImage = async (lab: LabAt, name: GuestImage, say: Progress): Promise<string> => {
  const recipe = recipes[name];
  const digest = sha256(JSON.stringify([recipe, unpack(''), finish('')])).slice(0, 12);
  const image = join(lab.places.cache, `${name}-${digest}`);
  if (!(await exists(image))) await make(lab, name, recipe, image, say);
  await probeAccelerator(lab, image, say);
  return image;
};

/** An image that is there is whole: it is made beside its place, and put there at the end. */
const make = async (lab: LabAt, name: GuestImage, recipe: Recipe, image: string, say: Progress): Promise<void> => {
  const building = buildFolder(image, lab.name);
  const inGroup = enter(lab.tree, `${labGroup(lab.name)}/up`);
  await clearBuild(building);
  await mkdir(building, { recursive: true });
  say(`making the image ${name} of guests, once: packages (about a minute)`);
  await shell('debootstrap', inGroup + debootstrap(building, recipe));
  if (recipe.later !== undefined) await shell('apt-get', inGroup + install(building, recipe.later));
  say(`making the image ${name} of guests: kernel`);
  await shell('unpacking the kernel', inGroup + unpack(building));
  await customizeRootfs(join(building, 'root'), recipe.additions);
  say(`making the image ${name} of guests: disk`);
  await shell('making the disk', inGroup + finish(building));
  await rename(building, image).catch(async (error: unknown) => {
    await clearBuild(building);
    if (!(await exists(image))) throw error; // else another lab was faster
  });
};

const debootstrap = (folder: string, { suite, mirror, packages }: Recipe): string => sh`
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
umask 022
debootstrap --force-check-gpg --variant=minbase --include=${packages.join(',')} ${suite} ${`${folder}/root`} ${mirror} >&2
`;

const install = (folder: string, packages: readonly string[]): string => sh`
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
umask 022
chroot ${`${folder}/root`} apt-get -q -y install --no-install-recommends ${packages} >&2
`;

/**
 * The kernel's package is unpacked and not installed: installing it would make an initial RAM disk, which no guest needs.
 * Its /lib may be a folder where the root's is a link.
 */
const unpack = (folder: string): string => sh`
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
umask 022
cd ${folder}
kernel=$(chroot root apt-cache depends linux-image-cloud-amd64 | awk '$1 == "Depends:" { print $2; exit }')
mkdir root/tmp/kernel
chroot root sh -c 'cd /tmp/kernel && apt-get -q download "$1"' sh "$kernel" >&2
dpkg-deb --fsys-tarfile root/tmp/kernel/*.deb | tar -x -C root --keep-directory-symlink
rm -r root/tmp/kernel
cp root/boot/vmlinuz-* vmlinuz
rm root/boot/vmlinuz-* root/boot/System.map-*
chroot root depmod "\${kernel#linux-image-}"
`;

const finish = (folder: string): string => sh`
cd ${folder}
chmod 755 root/usr/lib/kbs-lab/*
rm -rf root/var/cache/apt/* root/var/lib/apt/lists/* root/var/log/* root/usr/share/doc/* root/usr/share/man/* root/usr/share/locale/*
rm -f root/etc/ssh/ssh_host_* root/etc/hostname
: > root/etc/machine-id
mkdir etc
cp root/etc/passwd root/etc/group root/etc/shadow etc
mkfs.ext4 -q -F -L root -d root disk.raw 8G >&2
rm -r root
`;
