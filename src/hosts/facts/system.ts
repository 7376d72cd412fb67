import { defined } from '../../defined.js';
import { raw, sh } from '../shell.js';
import { containerdFolder, folders } from './folders.js';
import { linesAfter } from './lines.js';
import { otherClustersScript } from './other-clusters.js';
import { findManager } from './packages.js';
import { parseTimeDaemon, type TimeDaemon, timeDaemonScript } from './time-daemon.js';

/** The operating system of a host, as far as it may keep a cluster from running there. What could not be asked is absent. */
export interface System {
  /** What os-release(5) calls it: `debian`; the systems that it is like: `rhel fedora`; and its version: `12`. */
  readonly id?: string;
  readonly like: readonly string[];
  readonly version?: string;
  /** What keeps its packages; `none`: nothing that kbs installs packages with. */
  readonly packageManager?: 'apt' | 'dnf' | 'none';
  /** Those of haproxy, keepalived, nft, iptables and ipset that are installed. */
  readonly programs: readonly string[];
  /** Whether SELinux enforces its policy; absent where the kernel has no SELinux. */
  readonly selinux?: 'enforcing' | 'permissive';
  /** Whether a program keeps the clock in step with others. */
  readonly clockSynchronised?: boolean;
  readonly timeDaemon?: TimeDaemon;
  /** Whether /dev/kmsg can be opened; `absent` where there is none. */
  readonly kernelLog?: 'open' | 'closed' | 'absent';
  /** Of each folder that kbs writes to, the file system that holds it, or will hold it once it is made. */
  readonly mounts: readonly Mount[];
  /** Whether XFS below /var/lib/containerd keeps the types of files in its folders (`ftype=1`); absent for other types. */
  readonly xfsTypes?: boolean;
  /** The version of the module zfs. */
  readonly zfs?: string;
  /** The clusters of kbs whose etcd has or had its data there, by the records of the host. */
  readonly etcdClusters: readonly string[];
  /**
   * What others than kbs have installed to run a cluster, and systemd starts: names of units, without `.service`, and
   * `kubelet`; `kubeadm` for its static pods.
   */
  readonly otherClusters: readonly string[];
  /** Units that make compressed swap in memory (zram) at boot. */
  readonly zramUnits: readonly string[];
}

export interface Mount {
  readonly folder: string;
  /** As findmnt(8) names it: `ext4`, `nfs4`, `fuse.sshfs`. */
  readonly type: string;
  /** Where it is mounted. */
  readonly at: string;
  readonly options: readonly string[];
  /** KiB that root may still write there, and files that can still be made; absent where the file system does not count them. */
  readonly free?: number;
  readonly freeFiles?: number;
}

/** Prints lines of `system KEY VALUE`. Runs alone too. */
export const systemScript = sh`
system() { if [ -n "$2" ]; then printf 'system %s %s\\n' "$1" "$2"; fi; }
system osid "$(. /etc/os-release 2>/dev/null && printf %s "\${ID-}" || :)"
system oslike "$(. /etc/os-release 2>/dev/null && printf %s "\${ID_LIKE-}" || :)"
system osversion "$(. /etc/os-release 2>/dev/null && printf %s "\${VERSION_ID-}" || :)"
${raw(findManager)}
system packages $manager
for program in haproxy keepalived nft iptables ipset; do
  if command -v $program >/dev/null; then system program $program; fi
done
case $(cat /sys/fs/selinux/enforce 2>/dev/null || :) in
  1) system selinux enforcing ;;
  0) system selinux permissive ;;
esac
# Not by timedatectl, which starts a service. Of the last ones only their own programs know whether they have succeeded.
if [ -e /run/systemd/timesync/synchronized ] || timeout 5 chronyc -n tracking 2>/dev/null | grep -q '^Leap status *: Normal'; then
  synchronised=yes
elif systemctl -q is-active ntp ntpd ntpsec openntpd ptp4l </dev/null 2>/dev/null; then
  synchronised=
else
  synchronised=no
fi
system clock "$synchronised"
${raw(timeDaemonScript)}if [ ! -e /dev/kmsg ]; then system kernellog absent
elif timeout 2 sh -c ': < /dev/kmsg' 2>/dev/null; then system kernellog open
else system kernellog closed
fi
for folder in ${folders}; do
  at=$folder
  while [ ! -e "$at" ]; do at=\${at%/*}; at=\${at:-/}; done
  mount=$(findmnt -n -r -o FSTYPE,TARGET,OPTIONS -T "$at" 2>/dev/null | tail -n 1) || :
  if [ -n "$mount" ]; then system mount "$folder $mount"; fi
  system space "$folder $(df -k --output=avail,itotal,iavail "$at" 2>/dev/null | sed -n '2s/  */ /gp')"
  case $folder,$mount in ${containerdFolder},'xfs '*)
    mount=\${mount#xfs }
    system xfstypes "$(xfs_info "\${mount%% *}" 2>/dev/null | sed -n 's/.*ftype=1.*/yes/p; s/.*ftype=0.*/no/p')"
  esac
done
for unit in /etc/systemd/system/*.wants/zramswap.service /etc/systemd/system/*.wants/zram-config.service /run/systemd/generator/dev-zram*.swap; do
  if [ -e "$unit" ] || [ -L "$unit" ]; then system zram "\${unit##*/}"; fi
done
${raw(otherClustersScript)}system zfs "$(cat /sys/module/zfs/version 2>/dev/null || :)"
`;

/** Reads what `systemScript` printed, among lines of others; undefined where it printed nothing. */
export const parseSystem = (output: string): System | undefined => {
  const lines = linesAfter('system', output);
  if (lines === undefined) return undefined;
  const { all, one } = lines;
  return {
    like: (one('oslike') ?? '').split(/\s+/).filter(Boolean),
    programs: all('program'),
    mounts: all('mount').flatMap((mount) => mountIn(mount, all('space'))),
    etcdClusters: all('etcdof'),
    otherClusters: all('runs'),
    zramUnits: all('zram'),
    ...defined({
      id: one('osid'),
      version: one('osversion'),
      selinux: (['enforcing', 'permissive'] as const).find((word) => word === one('selinux')),
      packageManager: (['apt', 'dnf', 'none'] as const).find((word) => word === one('packages')),
      clockSynchronised: answerIn(one('clock')),
      timeDaemon: parseTimeDaemon(one('timedaemon')),
      kernelLog: (['open', 'closed', 'absent'] as const).find((word) => word === one('kernellog')),
      xfsTypes: answerIn(one('xfstypes')),
      zfs: one('zfs'),
    }),
  };
};

const answerIn = (word: string | undefined): boolean | undefined =>
  word === 'yes' ? true : word === 'no' ? false : undefined;

/** `/var/lib ext4 / rw,relatime`, and of its space `/var/lib 1024000 65536 60000`: KiB, and files in all and to come. */
const mountIn = (value: string, spaces: readonly string[]): readonly Mount[] => {
  const [folder, type, at, options] = value.split(' ');
  if (folder === undefined || type === undefined || at === undefined || options === undefined) return [];
  const [, free, files, freeFiles] = spaces.map((space) => space.split(/ +/)).find(([of]) => of === folder) ?? [];
  return [
    {
      folder,
      type,
      at,
      options: options.split(','),
      // Btrfs has no number of files: 0 in all.
      ...defined({ free: countIn(free), freeFiles: countIn(files) ? countIn(freeFiles) : undefined }),
    },
  ];
};

const countIn = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
