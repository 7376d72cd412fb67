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
import { inRoot } from './in-root.js';
import { isForeign } from './processor.js';
import { type Recipe, recipes } from './recipes.js';

/**
 * The folder of an image of guests: `disk.raw`, `vmlinuz`, `accelerator`, and `etc/passwd` and the like. It is made once
 * from the packages of the distribution, under a name with the digest of its recipe.
 */
export const guestImage = async (lab: LabAt, name: GuestImage, say: Progress): Promise<string> => {
  const recipe = recipes[name];
  const digest = sha256(JSON.stringify([recipe, unpack('', recipe), finish('')])).slice(0, 12);
  const image = join(lab.places.cache, `${name}-${digest}`);
  if (!(await exists(image))) await make(lab, name, recipe, image, say);
  await probeAccelerator(lab, image, recipe.arch, say);
  return image;
};

/** An image that is there is whole: it is made beside its place, and put there at the end. */
const make = async (lab: LabAt, name: GuestImage, recipe: Recipe, image: string, say: Progress): Promise<void> => {
  const building = buildFolder(image, lab.name);
  const inGroup = enter(lab.tree, `${labGroup(lab.name)}/up`);
  await clearBuild(building);
  await mkdir(building, { recursive: true });
  say(
    `making the image ${name} of guests, once: packages (about ${isForeign(recipe.arch) ? 'six minutes, emulated' : 'a minute'})`,
  );
  await shell('debootstrap', inGroup + debootstrap(building, recipe));
  if (recipe.later !== undefined) await shell('apt-get', inGroup + install(building, recipe, recipe.later));
  say(`making the image ${name} of guests: kernel`);
  await shell('unpacking the kernel', inGroup + unpack(building, recipe));
  await customizeRootfs(join(building, 'root'), recipe.additions);
  say(`making the image ${name} of guests: disk`);
  await shell('making the disk', inGroup + finish(building));
  await rename(building, image).catch(async (error: unknown) => {
    await clearBuild(building);
    if (!(await exists(image))) throw error; // else another lab was faster
  });
};

const begin = 'export DEBIAN_FRONTEND=noninteractive LC_ALL=C\numask 022\n';

const debootstrap = (folder: string, { arch, suite, mirror, packages }: Recipe): string => {
  const root = `${folder}/root`;
  const options = ['--force-check-gpg', '--variant=minbase', `--arch=${arch}`, `--include=${packages.join(',')}`];
  if (!isForeign(arch)) return begin + sh`debootstrap ${options} ${suite} ${root} ${mirror} >&2`;
  // The second stage runs what the first one has unpacked, and perl, which takes a minute to read all of Debian's packages
  // where it is emulated. It takes a place where no device nodes can be made for a container of LXC.
  return (
    begin +
    inRoot(arch) +
    sh`debootstrap --foreign ${options} ${suite} ${root} ${mirror} >&2
cd ${root}
for list in var/lib/apt/lists/*_Packages; do
  awk 'BEGIN { while (getline < "debootstrap/debpaths") wanted[$1]; RS = ""; ORS = "\\n\\n" }
    $2 in wanted || $2 ~ /^linux-image-/' "$list" > "$list.new"
  mv "$list.new" "$list"
done
export container=lxc
in_root ${root} /debootstrap/debootstrap --second-stage >&2`
  );
};

const install = (folder: string, { arch }: Recipe, packages: readonly string[]): string =>
  begin + inRoot(arch) + sh`in_root ${`${folder}/root`} apt-get -q -y install --no-install-recommends ${packages} >&2`;

/**
 * The kernel's package is unpacked and not installed: installing it would make an initial RAM disk, which no guest needs.
 * Its /lib may be a folder where the root's is a link.
 */
const unpack = (folder: string, { arch }: Recipe): string =>
  begin +
  inRoot(arch) +
  sh`cd ${folder}
kernel=$(in_root root apt-cache depends ${`linux-image-cloud-${arch}`} | awk '$1 == "Depends:" { print $2; exit }')
mkdir root/tmp/kernel
in_root root sh -c 'cd /tmp/kernel && apt-get -q download "$1"' sh "$kernel" >&2
dpkg-deb --fsys-tarfile root/tmp/kernel/*.deb | tar -x -C root --keep-directory-symlink
rm -r root/tmp/kernel
cp root/boot/vmlinuz-* vmlinuz
rm root/boot/vmlinuz-* root/boot/System.map-*
in_root root depmod "\${kernel#linux-image-}"
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
