import { containerdFolder, type Mount, programFolders } from '../hosts/facts/facts.js';
import { type ClusterHost, isControlPlane, isDns, isNode } from '../inventory/cluster.js';
import { failIf, type HostCheck } from './check.js';

/** Systems with an image for a root have some of the folders read-only that kbs writes to. */
export const writableCheck = {
  name: 'writable',
  scope: 'host',
  summary: 'no folder that kbs writes to is mounted read-only: /etc, /usr/local, /var/lib, and /opt on a node',
  fix: 'mount it writable, or install a system whose root is not an image',
  check: (host, { system, os }) =>
    byMount((system?.mounts ?? []).filter(({ folder, options }) => isUsed(host, folder) && options.includes('ro'))).map(
      ({ at, type, folders }) => ({
        detail: `${folders.join(', ')} cannot be written: ${at} (${type}) is mounted read-only`,
        next: `mount -o remount,rw ${at}, and take ro out of its options in /etc/fstab; where it is not meant to be writable (${os}), install a system such as Debian or Ubuntu`,
      }),
    ),
} satisfies HostCheck;

/** Programs that kbs installs, and those in volumes of pods, are started from these folders. */
export const executableCheck = {
  name: 'noexec',
  scope: 'host',
  summary: 'programs can be started below /usr/local and /var/lib, and below /opt on a node',
  fix: 'take noexec out of the options of the mount',
  check: (host, { system }) =>
    byMount(
      (system?.mounts ?? []).filter(
        ({ folder, options }) => programFolders.includes(folder) && isUsed(host, folder) && options.includes('noexec'),
      ),
    ).map(({ at, folders }) => ({
      detail: `no program can be started below ${folders.join(', ')}: ${at} is mounted noexec`,
      next: `take noexec out of the options of ${at} in /etc/fstab, and: mount -o remount,exec ${at}`,
    })),
} satisfies HostCheck;

/** Below /opt and /var/lib/containerd only nodes have something. */
const isUsed = (host: ClusterHost, folder: string): boolean =>
  isNode(host) || (folder !== '/opt' && folder !== containerdFolder);

/** One entry for each mount, with the folders that lie on it. */
const byMount = (mounts: readonly Mount[]): readonly (Mount & { readonly folders: readonly string[] })[] =>
  mounts
    .filter((mount, index) => mounts.findIndex(({ at }) => at === mount.at) === index)
    .map((mount) => ({ ...mount, folders: mounts.filter(({ at }) => at === mount.at).map(({ folder }) => folder) }));

/**
 * Room for what kbs writes, of a host that has nothing of a cluster yet; afterwards it is there, and a little must be left
 * for what changes. A file system that does not say what is free has enough.
 */
export const spaceCheck = {
  name: 'disk-space',
  scope: 'host',
  summary:
    'the file systems that kbs writes to have room: for a new node 1024 MiB below /var/lib/containerd and 320 below /usr/local, for a new control plane 768 there and 512 below /var/lib, and inodes',
  fix: 'delete what is not needed, or enlarge the file system',
  check: (host, { system, clusterCa }) =>
    byMount(
      (system?.mounts ?? []).filter(({ folder, options }) => isUsed(host, folder) && !options.includes('ro')),
    ).flatMap(({ at, free, freeFiles, folders }) => {
      const needed = clusterCa === undefined ? sumOf(folders.map((folder) => neededBelow(folder, host))) : littleMiB;
      const where = folders.join() === at ? at : `${at}, which holds ${folders.join(', ')},`;
      if (free !== undefined && free < needed * 1024) {
        return [
          {
            detail: `${where} has ${Math.floor(free / 1024)} MiB free, and kbs needs ${needed} MiB there`,
            next: `delete what is not needed, or enlarge it; see what takes the space: du -xh ${at} | sort -h | tail`,
          },
        ];
      }
      return failIf(
        freeFiles !== undefined && freeFiles < filesNeeded,
        `${where} takes only ${freeFiles} more files, whatever their size: it has no inodes left`,
        `delete files that are not needed; see where most are: du -x --inodes ${at} | sort -n | tail`,
      );
    }),
} satisfies HostCheck;

/** MiB: about twice what kbs itself writes; of images and of data of etcd, more than that comes later. */
const neededBelow = (folder: string, host: ClusterHost): number => {
  switch (folder) {
    case containerdFolder:
      return 1024;
    case '/usr/local':
      return isControlPlane(host) ? 768 : isNode(host) ? 320 : isDns(host) ? 128 : littleMiB;
    case '/var/lib':
      return isControlPlane(host) ? 512 : littleMiB;
    default:
      return littleMiB;
  }
};

const littleMiB = 16;
const filesNeeded = 1000;

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

/** containerd mounts the root of every container as an overlay whose upper layer lies there. */
export const overlayCheck = {
  name: 'overlay',
  scope: 'host',
  summary:
    'the file system below /var/lib/containerd of a node is one on which the kernel lays overlays, as ext4 and xfs',
  fix: 'mount a file system of type ext4 or xfs at /var/lib/containerd',
  check: (host, { system }) => {
    const mount = system?.mounts.find(({ folder }) => folder === containerdFolder);
    if (mount === undefined || !isNode(host)) return [];
    if (mount.type === 'xfs' && system?.xfsTypes === false) {
      return [
        {
          detail: `${containerdFolder} lies on XFS without ftype=1 (${mount.at}), where containerd lays no overlay`,
          next: `mount a new file system at ${containerdFolder}, of type ext4, or by mkfs.xfs -n ftype=1`,
        },
      ];
    }
    const isOldZfs = mount.type === 'zfs' && system?.zfs !== undefined && /^(0|1|2\.[01])\./.test(system.zfs);
    return failIf(
      isOldZfs || noUpperLayer.some((type) => type.test(mount.type)),
      `${containerdFolder} lies on ${isOldZfs ? `zfs ${system?.zfs}` : mount.type} (${mount.at}), where the kernel lays no overlay, so no container would start`,
      `mount a file system of type ext4 or xfs at ${containerdFolder}${isOldZfs ? ' (a zvol can hold one), or update ZFS to 2.2' : ''}`,
    );
  },
} satisfies HostCheck;

/**
 * Types that lack what the upper layer of an overlay needs: attributes of the name space trusted, whiteouts, or names of
 * its own (https://docs.kernel.org/filesystems/overlayfs.html). Of other types nothing is said.
 */
const noUpperLayer: readonly RegExp[] = [
  /^(nfs4?|cifs|smb[23]?|9p|afs|ceph|glusterfs)$/,
  /^(vfat|msdos|exfat|ntfs3?|squashfs|iso9660|erofs)$/,
  /^(overlay|aufs|unionfs|ecryptfs)$/,
  /^fuse(blk)?(\.|$)/,
];
