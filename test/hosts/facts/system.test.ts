import { execa } from 'execa';
import { expect, test } from 'vitest';
import { parseSystem, type System, systemScript } from '../../../src/hosts/facts/system.js';
import { lacks } from '../../support/needs.js';

test.each<[string, string, System]>([
  [
    'a host with ZFS',
    `system osid almalinux
system oslike rhel centos fedora
system osversion 9.4
system packages dnf
system program haproxy
system selinux enforcing
system clock no
system kernellog open
system mount /etc ext4 / rw,relatime
system mount /var/lib zfs /var/lib rw,xattr
system mount /opt btrfs /opt rw
system space /etc  60450000 16777216 16000000
system space /var/lib 1200 - -
system space /opt 900 0 0
system xfstypes no
system zram dev-zram0.swap
system zfs 2.1.11-1`,
    {
      id: 'almalinux',
      like: ['rhel', 'centos', 'fedora'],
      version: '9.4',
      packageManager: 'dnf',
      programs: ['haproxy'],
      selinux: 'enforcing',
      clockSynchronised: false,
      kernelLog: 'open',
      mounts: [
        { folder: '/etc', type: 'ext4', at: '/', options: ['rw', 'relatime'], free: 60_450_000, freeFiles: 16_000_000 },
        { folder: '/var/lib', type: 'zfs', at: '/var/lib', options: ['rw', 'xattr'], free: 1200 },
        { folder: '/opt', type: 'btrfs', at: '/opt', options: ['rw'], free: 900 },
      ],
      xfsTypes: false,
      zfs: '2.1.11-1',
      etcdClusters: [],
      otherClusters: [],
      zramUnits: ['dev-zram0.swap'],
    },
  ],
  [
    'a host of other clusters',
    'system etcdof first\nsystem runs kubeadm\nsystem runs kubelet',
    {
      like: [],
      programs: [],
      mounts: [],
      etcdClusters: ['first'],
      otherClusters: ['kubeadm', 'kubelet'],
      zramUnits: [],
    },
  ],
  [
    'words that are not known',
    'system kernellog maybe\nsystem selinux odd\nsystem clock n/a\nsystem mount /etc',
    { like: [], programs: [], mounts: [], etcdClusters: [], otherClusters: [], zramUnits: [] },
  ],
])('%s is read', (_, said, system) => {
  expect(parseSystem(`hostname x\n${said}\nmachineid y`)).toEqual(system);
});

test('a host that was not asked has no system', () => {
  expect(parseSystem('hostname x\nmachineid y')).toBeUndefined();
});

test.skipIf(lacks('root'))(
  'the script finds what lies below folders, also where they are still to be made',
  async () => {
    const script = `mount -t tmpfs -o ro,noexec none /opt
mount -t tmpfs -o size=1m,nr_inodes=20 none /var/lib
head -c 1000000 /dev/zero > /var/lib/full
mount --bind /usr /usr; mount -o remount,bind,ro /usr
mount -t tmpfs none /etc; mkdir -p /etc/systemd/system/multi-user.target.wants
ln -s /lib/systemd/system/zramswap.service /etc/systemd/system/multi-user.target.wants/
mount -t tmpfs none /dev; mknod /dev/null c 1 3
${systemScript}`;
    const { stdout } = await execa('unshare', ['--mount', 'sh', '-eu'], { input: script });
    const system = parseSystem(stdout);
    expect(system?.kernelLog).toBe('absent');
    expect(system?.zramUnits).toEqual(['zramswap.service']);
    expect(system?.mounts.find(({ folder }) => folder === '/opt')).toMatchObject({
      type: 'tmpfs',
      at: '/opt',
      options: expect.arrayContaining(['ro', 'noexec']),
    });
    expect(system?.mounts.find(({ folder }) => folder === '/usr/local')).toMatchObject({
      at: '/usr',
      options: expect.arrayContaining(['ro']),
    });
    expect(system?.mounts.find(({ folder }) => folder === '/var/lib/containerd')).toMatchObject({
      type: 'tmpfs',
      at: '/var/lib',
      free: expect.toSatisfy((free: number) => free < 100),
      freeFiles: 18,
    });
  },
);

test.skipIf(lacks('root'))('the script tells clusters of others from those of kbs', async () => {
  const script = `mount -t tmpfs none /etc; mount -t tmpfs none /var/lib
mkdir -p /etc/kubernetes/manifests /etc/systemd/system/multi-user.target.wants /var/lib/kbs
record() { printf '{"kind":"%s","id":"%s","phase":"etcd","cluster":"%s","keep":"until-removed"}\\n' "$@" >> /var/lib/kbs/resources; }
record task etcd-member first
record task etcd-vote second
record binary etcd-member third
: > /etc/kubernetes/manifests/own.yaml
printf 'env: [{ name: KBS_DIGEST }]' > /etc/kubernetes/manifests/etcd.yaml
for unit in k3s rke2-agent; do printf '[Install]\\nWantedBy=multi-user.target\\n' > /etc/systemd/system/$unit.service; done
ln -s /etc/systemd/system/k3s.service /etc/systemd/system/multi-user.target.wants/
(
${systemScript}
)
echo 'apiVersion: v1' > /etc/kubernetes/manifests/kube-apiserver.yaml
echo
${systemScript}`;
  const { stdout } = await execa('unshare', ['--mount', 'sh', '-eu'], { input: script });
  const [before = '', after = ''] = stdout.split('\n\n');
  expect(parseSystem(before)).toMatchObject({ etcdClusters: ['first'], otherClusters: ['k3s'] });
  expect(parseSystem(after)).toMatchObject({ etcdClusters: ['first'], otherClusters: ['kubeadm', 'k3s'] });
});

test.skipIf(lacks('root')).each([
  ['timesyncd is', 'mkdir /run/systemd/timesync; : > /run/systemd/timesync/synchronized', true],
  ['chronyd is', "say chronyc 'Leap status     : Normal'", true],
  ['chronyd is not', "say chronyc 'Leap status     : Not synchronised'", false],
  ['chronyd does not answer', "say chronyc '506 Cannot talk to daemon'", false],
  ['another daemon runs, which alone knows', 'say systemctl active', undefined],
  ['none runs', '', false],
])('the clock is synchronised where %s: %s', async (_, given, synchronised) => {
  const script = `mount -t tmpfs none /usr/local; mkdir /usr/local/bin; PATH=/usr/local/bin:$PATH
mount -t tmpfs none /run; mkdir /run/systemd
say() { printf '#!/bin/sh\\necho "%s"\\n' "$2" > /usr/local/bin/$1; chmod +x /usr/local/bin/$1; }
printf '#!/bin/sh\\nexit 3\\n' > /usr/local/bin/systemctl; chmod +x /usr/local/bin/systemctl
${given}
${systemScript}`;
  const { stdout } = await execa('unshare', ['--mount', 'sh', '-eu'], { input: script });
  expect(parseSystem(stdout)?.clockSynchronised).toBe(synchronised);
});

test.skipIf(lacks('root')).each([
  ['naming   =version 2              bsize=4096   ascii-ci=0, ftype=1', true],
  ['naming   =version 2              bsize=4096   ascii-ci=0 ftype=0', false],
  ['xfs_info: / is not a mounted XFS filesystem', undefined],
])('where xfs_info says %j, XFS keeps the types of files: %s', async (said, xfsTypes) => {
  const script = `mount -t tmpfs none /usr/local; mkdir /usr/local/bin; PATH=/usr/local/bin:$PATH
say() { printf '#!/bin/sh\\necho "%s"\\n' "$2" > /usr/local/bin/$1; chmod +x /usr/local/bin/$1; }
say findmnt 'xfs / rw,relatime'
say xfs_info '${said}'
${systemScript}`;
  const { stdout } = await execa('unshare', ['--mount', 'sh', '-eu'], { input: script });
  expect(parseSystem(stdout)).toMatchObject({
    mounts: expect.arrayContaining([
      expect.objectContaining({ folder: '/var/lib/containerd', type: 'xfs', at: '/', options: ['rw', 'relatime'] }),
    ]),
  });
  expect(parseSystem(stdout)?.xfsTypes).toBe(xfsTypes);
});
