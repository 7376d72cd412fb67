import { describe, expect, test } from 'vitest';
import { assumedFacts, type Facts, type Mount, type System } from '../../src/hosts/facts/facts.js';
import type { Cluster, ClusterHost } from '../../src/inventory/cluster.js';
import type { CheckResult, FailedCheck, HostCheck } from '../../src/preflight/check.js';
import { checks } from '../../src/preflight/index.js';
import { foreignEtcdCheck } from '../../src/preflight/other-clusters.js';
import { clusterOf, hostOf } from '../support/cluster.js';
import { lxc } from '../support/machines.js';

const worker = hostOf({ name: 'w', address: '192.168.10.11', segment: 'office', podCidr: '10.244.0.0/24' });
const balancer = hostOf({ name: 'lb', address: '192.168.10.12', segment: 'office', roles: ['load-balancer'] });

const clusterWith = (proxy: Cluster['kubernetes']['proxy']): Cluster =>
  clusterOf({ kubernetes: { version: '1.36.3', controlPlane: 'static-pods', proxy } });

const found = (
  name: CheckResult['name'],
  facts: Partial<Facts>,
  { host = worker, cluster = clusterOf() }: { readonly host?: ClusterHost; readonly cluster?: Cluster } = {},
): readonly FailedCheck[] =>
  checks
    .filter((check): check is HostCheck => check.name === name && check.scope === 'host')
    .flatMap(({ check }) => check(host, { ...assumedFacts, ...facts }, cluster));

describe('the kernel', () => {
  test.each([
    ['5.10.0-28-amd64', 'nftables', true],
    ['5.4.0-200-generic', 'nftables', true],
    ['4.18.0-553.el8_10.x86_64', 'nftables', true],
    ['5.12.19', 'nftables', true],
    ['5.13.0', 'nftables', false],
    ['5.14.0-427.el9.x86_64', 'nftables', false],
    ['6.1.0-28-amd64', 'nftables', false],
    ['10.0', 'nftables', false],
    ['unknown', 'nftables', false],
    ['5.10.0-28-amd64', 'iptables', false],
    ['5.10.0-28-amd64', 'ipvs', false],
  ] as const)('%s with proxy %s is too old: %s', (kernel, proxy, tooOld) => {
    const cluster = clusterWith(proxy);
    expect(found('kernel-version', { kernel }, { cluster }).map(({ detail, next }) => [detail, next])).toEqual(
      tooOld
        ? [
            [
              `kernel ${kernel} is older than 5.13, which kube-proxy needs for its mode nftables`,
              'write `kubernetes: { proxy: iptables }`, or boot a newer kernel',
            ],
          ]
        : [],
    );
    expect(found('kernel-version', { kernel }, { cluster, host: balancer })).toEqual([]);
  });
});

const system = (more: Partial<System>): System => ({
  like: [],
  programs: [],
  mounts: [],
  etcdClusters: [],
  otherClusters: [],
  zramUnits: [],
  ...more,
});

describe('the log of the kernel', () => {
  const needed = "and a kubelet does not start without the kernel's log";
  test.each<[string, Partial<Facts>, string | undefined, string]>([
    ['open', { system: system({ kernelLog: 'open' }) }, undefined, ''],
    ['not asked about', { system: system({}) }, undefined, ''],
    ['not observed', {}, undefined, ''],
    ['absent', { system: system({ kernelLog: 'absent' }) }, `there is no /dev/kmsg, ${needed}`, 'mknod'],
    [
      'absent from a container',
      { system: system({ kernelLog: 'absent' }), machine: lxc },
      `there is no /dev/kmsg in this container (lxc), ${needed}`,
      'lxc.mount.entry',
    ],
    [
      'kept from a container',
      { system: system({ kernelLog: 'closed' }), machine: lxc },
      `/dev/kmsg cannot be opened in this container (lxc), ${needed}`,
      'lxc.mount.entry',
    ],
  ])('%s', (_, facts, detail, next) => {
    expect(found('kernel-log', facts)).toEqual(
      detail === undefined ? [] : [{ detail, next: expect.stringContaining(next) }],
    );
    expect(found('kernel-log', facts, { host: balancer })).toEqual([]);
  });
});

const mount = (folder: string, type: string, at = '/', options = 'rw,relatime'): Mount => ({
  folder,
  type,
  at,
  options: options.split(','),
});

const details = (
  name: CheckResult['name'],
  mounts: readonly Mount[],
  { zfs, host = worker }: { readonly zfs?: string; readonly host?: ClusterHost } = {},
): readonly string[] =>
  found(name, { os: 'Flatcar', system: system({ mounts, ...(zfs === undefined ? {} : { zfs }) }) }, { host }).map(
    ({ detail }) => detail,
  );

test('folders on a read-only mount are refused, once for each mount', () => {
  const mounts = [
    mount('/etc', 'ext4'),
    mount('/usr/local', 'ext4', '/usr', 'ro,nodev'),
    mount('/opt', 'composefs', '/', 'ro'),
    mount('/var/lib', 'xfs', '/var', 'rw,errors=remount-ro'),
    mount('/var/lib/containerd', 'xfs', '/var', 'rw,errors=remount-ro'),
  ];
  const usr = '/usr/local cannot be written: /usr (ext4) is mounted read-only';
  expect(details('writable', mounts)).toEqual([usr, '/opt cannot be written: / (composefs) is mounted read-only']);
  expect(details('writable', mounts, { host: balancer })).toEqual([usr]);
  expect(found('writable', {})).toEqual([]);
});

test('folders where no program can be started are refused', () => {
  const mounts = [
    mount('/etc', 'ext4', '/etc', 'rw,noexec'),
    mount('/usr/local', 'ext4'),
    mount('/opt', 'ext4', '/opt', 'rw,noexec'),
    mount('/var/lib', 'xfs', '/var', 'rw,nosuid,noexec'),
    mount('/var/lib/containerd', 'xfs', '/var/lib/containerd', 'rw,noexec'),
  ];
  const varLib = 'no program can be started below /var/lib: /var is mounted noexec';
  expect(details('noexec', mounts)).toEqual(['no program can be started below /opt: /opt is mounted noexec', varLib]);
  expect(details('noexec', mounts, { host: balancer })).toEqual([varLib]);
});

describe('room on the file systems', () => {
  const GiB = 1024 * 1024;
  const control = hostOf({ ...worker, roles: ['control-plane'] });
  const all = (free: number, freeFiles?: number) =>
    ['/etc', '/usr/local', '/opt', '/var/lib', '/var/lib/containerd'].map((folder) => ({
      ...mount(folder, 'ext4'),
      free,
      ...(freeFiles === undefined ? {} : { freeFiles }),
    }));

  test.each<[string, ClusterHost, readonly Mount[], string | undefined, readonly string[]]>([
    ['enough for a node', worker, all(2 * GiB), undefined, []],
    [
      'what a node fills by itself',
      worker,
      all(GiB),
      undefined,
      [
        '/, which holds /etc, /usr/local, /opt, /var/lib, /var/lib/containerd, has 1024 MiB free, and kbs needs 1392 MiB there',
      ],
    ],
    [
      'enough for a worker alone',
      control,
      all(2 * GiB),
      undefined,
      [
        '/, which holds /etc, /usr/local, /opt, /var/lib, /var/lib/containerd, has 2048 MiB free, and kbs needs 2336 MiB there',
      ],
    ],
    ['little, where the cluster is there already', worker, all(GiB / 2), 'a', []],
    ['enough for a load balancer', balancer, all(GiB / 2), undefined, []],
    [
      'nothing, where the cluster is there already',
      balancer,
      all(100),
      'a',
      ['/, which holds /etc, /usr/local, /var/lib, has 0 MiB free, and kbs needs 16 MiB there'],
    ],
    [
      'no inodes',
      worker,
      [{ ...mount('/var/lib/containerd', 'ext4', '/data'), free: 9 * GiB, freeFiles: 3 }],
      undefined,
      ['/data, which holds /var/lib/containerd, takes only 3 more files, whatever their size: it has no inodes left'],
    ],
    [
      'a full image that is read-only, which another check refuses',
      worker,
      [{ ...mount('/usr/local', 'squashfs', '/usr', 'ro'), free: 0 }],
      undefined,
      [],
    ],
    ['a file system that counts nothing', worker, [mount('/var/lib', 'ext4')], undefined, []],
  ])('%s', (_, host, mounts, clusterCa, expected) => {
    const facts = { system: system({ mounts }), ...(clusterCa === undefined ? {} : { clusterCa }) };
    expect(found('disk-space', facts, { host }).map(({ detail }) => detail)).toEqual(expected);
  });
});

describe('the file system of images', () => {
  test.each([
    ['ext4', undefined, true],
    ['xfs', undefined, true],
    ['btrfs', undefined, true],
    ['tmpfs', undefined, true],
    ['virtiofs', undefined, true],
    ['some-new-fs', undefined, true],
    ['nfs', undefined, false],
    ['nfs4', undefined, false],
    ['overlay', undefined, false],
    ['ecryptfs', undefined, false],
    ['vfat', undefined, false],
    ['ntfs3', undefined, false],
    ['fuse', undefined, false],
    ['fuse.sshfs', undefined, false],
    ['fuseblk', undefined, false],
    ['zfs', '2.1.11-1', false],
    ['zfs', '0.8.3-1ubuntu12', false],
    ['zfs', '2.2.0-0ubuntu1', true],
    ['zfs', '2.10.1', true],
    ['zfs', undefined, true],
  ])('%s of version %s can hold overlays: %s', (type, zfs, fit) => {
    const mounts = [mount('/var/lib', type, '/'), mount('/var/lib/containerd', type, '/')];
    const of = zfs === undefined ? {} : { zfs };
    expect(details('overlay', mounts, of)).toEqual(
      fit
        ? []
        : [
            `/var/lib/containerd lies on ${type}${zfs === undefined ? '' : ` ${zfs}`} (/), where the kernel lays no overlay, so no container would start`,
          ],
    );
    expect(details('overlay', mounts, { ...of, host: balancer })).toEqual([]);
  });
});

test.each<[string, readonly string[], readonly (readonly [string, string])[]]>([
  ['nothing else', [], []],
  [
    'a control plane of kubeadm',
    ['kubeadm', 'kubelet'],
    [
      [
        '/etc/kubernetes/manifests has the control plane of another cluster, of kubeadm or a tool that uses it, on this host',
        'kubeadm reset',
      ],
    ],
  ],
  ['a worker of kubeadm', ['kubelet'], [['a kubelet runs that kbs did not install on this host', 'kubeadm reset']]],
  ['K3s', ['k3s'], [['a server of K3s is installed and started on this host', ': k3s-uninstall.sh']]],
  ['its agent', ['k3s-agent'], [['an agent of K3s is installed and started on this host', ': k3s-agent-uninstall.sh']]],
  ['RKE2', ['rke2-server'], [['RKE2 is installed and started on this host', 'rke2-uninstall.sh']]],
  [
    'k0s as both',
    ['k0scontroller', 'k0sworker'],
    [['k0s is installed and started on this host', 'k0s stop && k0s reset']],
  ],
  [
    'MicroK8s',
    ['snap.microk8s.daemon-kubelite'],
    [['MicroK8s is installed and started on this host', 'snap remove --purge microk8s']],
  ],
])('a node with %s', (_, otherClusters, expected) => {
  const facts = { system: system({ otherClusters }) };
  expect(found('other-cluster', facts)).toEqual(
    expected.map(([detail, next]) => ({ detail, next: expect.stringContaining(next) })),
  );
  expect(found('other-cluster', facts, { host: balancer })).toEqual([]);
});

describe('data of etcd', () => {
  const cluster = clusterOf();
  const refused = (facts: Partial<Facts>, { restores = false, host = 'controller-00' } = {}) =>
    foreignEtcdCheck
      .check({
        cluster,
        facts: new Map([[host, { ...assumedFacts, etcdMember: true, ...facts }]]),
        keyring: { ca: 'aa', missing: [] },
        restores,
      })
      .map(({ detail, next }) => [detail, next]);
  const bare = { system: system({}) };

  test('of a cluster that is not known are refused', () => {
    expect(refused(bare)).toEqual([
      [
        '/var/lib/etcd has data that cluster hybrid did not put there',
        'end the cluster that they are of: kbs reset with its inventory, or what kbs reset --foreign explains; where it is gone, move them aside: mv /var/lib/etcd/member /var/lib/etcd-member.old',
      ],
    ]);
    expect(refused({ ...bare, clusterCa: 'bb' })).toHaveLength(1);
  });

  test('of another cluster of kbs are refused by its name', () => {
    expect(refused({ system: system({ etcdClusters: ['first'] }) })).toEqual([
      [
        '/var/lib/etcd has data that are of cluster first, by the records of kbs',
        expect.stringContaining('kbs reset with the inventory of that cluster'),
      ],
    ]);
  });

  test.each<[string, Partial<Facts>, { readonly restores?: boolean; readonly host?: string }]>([
    ['of this cluster, by its records', { system: system({ etcdClusters: ['first', 'hybrid'] }) }, {}],
    ['of this cluster, by its CA', { ...bare, clusterCa: 'aa' }, {}],
    ['that a restore puts aside', bare, { restores: true }],
    ['that are not there', { ...bare, etcdMember: false }, {}],
    ['of a host that was not asked', {}, {}],
    ['of a host that is no control plane', bare, { host: 'worker-rack-00' }],
  ])('%s are let be', (_, facts, options) => {
    expect(refused(facts, options)).toEqual([]);
  });
});

test('XFS that does not keep the types of files is refused below the images', () => {
  const mounts = [mount('/var/lib/containerd', 'xfs', '/var')];
  const about = (xfsTypes: boolean) => found('overlay', { system: system({ mounts, xfsTypes }) });
  expect(about(true)).toEqual([]);
  expect(about(false).map(({ detail }) => detail)).toEqual([
    '/var/lib/containerd lies on XFS without ftype=1 (/var), where containerd lays no overlay',
  ]);
});

test('SELinux is refused where it enforces its policy, on every host', () => {
  for (const host of [worker, balancer]) {
    expect(found('selinux', { system: system({ selinux: 'enforcing' }) }, { host })).toHaveLength(1);
    expect(found('selinux', { system: system({ selinux: 'permissive' }) }, { host })).toEqual([]);
    expect(found('selinux', { system: system({}) }, { host })).toEqual([]);
  }
});

test('a clock that nothing sets is a warning, unless it is that of the machine around a container', () => {
  const clock = (clockSynchronised: boolean) => ({ system: system({ clockSynchronised }) });
  expect(found('clock-synchronised', clock(false))).toHaveLength(1);
  expect(found('clock-synchronised', clock(true))).toEqual([]);
  expect(found('clock-synchronised', { system: system({}) })).toEqual([]);
  expect(found('clock-synchronised', { ...clock(false), machine: lxc })).toEqual([]);
  expect(checks.find(({ name }) => name === 'clock-synchronised')?.warns).toBe(true);
});
