import { describe, expect, test } from 'vitest';
import { foreignText } from '../../src/cli/text/foreign-text.js';
import { parseRemains } from '../../src/hosts/facts/remains.js';
import { explainRemains, type Known } from '../../src/preflight/remains.js';

/** Explains what the script said, in lines without their first word. */
const explain = (said: readonly string[], known: Partial<Known> = {}) =>
  explainRemains(parseRemains(said.map((line) => `remains ${line}\n`).join('')), {
    running: [],
    foreignEtcd: false,
    ...known,
  });

const deadCluster = [
  'unit /etc/systemd/system/kubelet.service',
  'unit /etc/systemd/system/kubelet.service.d/10-kubeadm.conf',
  'pods yes',
  'podslice yes',
  'socket /run/containerd/containerd.sock',
  'program ctr /usr/bin/ctr',
  'mount /var/lib/kubelet/pods/1/volumes/x',
  'mount /var/lib/kubelet/pods/1/volumes/x/below\\040it',
  'path /etc/kubernetes/manifests',
  'path /etc/kubernetes/pki',
  'path /etc/kubernetes/admin.conf',
  'path /var/lib/kubelet',
  'path /var/lib/etcd/member',
  'path /run/flannel',
  'cni 10-flannel.conflist',
  'cni 87-podman.conflist',
  'link cni0',
  'link flannel.1',
  'table ip kube-proxy',
  'chains iptables nat',
];

describe('a dead cluster of kubeadm', () => {
  const { found, first, commands, stays } = explain(deadCluster, { foreignEtcd: true });

  test('is removed in the order in which that works', () => {
    const names = '(KUBE-|FLANNEL-|cali-|CILIUM_)';
    expect(commands).toEqual([
      'systemctl disable --now kubelet.service',
      '/usr/bin/ctr -n k8s.io tasks ls -q | xargs -r -n 1 /usr/bin/ctr -n k8s.io tasks rm --force',
      '/usr/bin/ctr -n k8s.io containers ls -q | xargs -r -n 1 /usr/bin/ctr -n k8s.io containers rm',
      'systemctl stop kubepods.slice',
      "umount '/var/lib/kubelet/pods/1/volumes/x/below it'",
      'umount /var/lib/kubelet/pods/1/volumes/x',
      'rm -rf --one-file-system /etc/kubernetes/manifests',
      'rm -rf --one-file-system /etc/kubernetes/pki',
      'rm -f /etc/kubernetes/admin.conf',
      'rm -rf --one-file-system /var/lib/kubelet',
      'rm -rf --one-file-system /run/flannel',
      'rmdir --ignore-fail-on-non-empty /etc/kubernetes',
      'rm -rf --one-file-system /var/lib/etcd/member',
      'rm -f /etc/systemd/system/kubelet.service',
      'rm -f /etc/systemd/system/kubelet.service.d/10-kubeadm.conf',
      'systemctl daemon-reload',
      'rm -f /etc/cni/net.d/10-flannel.conflist',
      'ip link delete cni0',
      'ip link delete flannel.1',
      'nft delete table ip kube-proxy',
      `iptables-save -t nat | sed -n -E '/^-A ${names}/!s/^-A (.* -[jg] ${names}[^ "]*)$/-D \\1/p' | xargs -r -L 1 iptables -w -t nat`,
      `iptables-save -t nat | sed -n -E 's/^:(${names}[^ ]*) .*/\\1/p' | xargs -r -n 1 iptables -w -t nat -F`,
      `iptables-save -t nat | sed -n -E 's/^:(${names}[^ ]*) .*/\\1/p' | xargs -r -n 1 iptables -w -t nat -X`,
    ]);
  });

  test('is named in full, with what is lost', () => {
    expect(found).toEqual([
      'a kubelet: /etc/systemd/system/kubelet.service, /etc/systemd/system/kubelet.service.d/10-kubeadm.conf',
      'files of a cluster: /etc/kubernetes/manifests, /etc/kubernetes/pki, /etc/kubernetes/admin.conf, /var/lib/kubelet, /run/flannel',
      'mounts below /var/lib/kubelet: 2',
      'data of the etcd of another cluster: /var/lib/etcd/member',
      'CNI configuration in /etc/cni/net.d: 10-flannel.conflist',
      'network interfaces: cni0, flannel.1',
      'tables of nftables: ip kube-proxy',
      'chains of Kubernetes: iptables nat',
    ]);
    expect(first).toContainEqual(expect.stringContaining('copy /etc/kubernetes and /var/lib/etcd before'));
  });

  test('leaves what others may use', () => {
    expect(stays).toContainEqual(expect.stringContaining('containers of Docker'));
    expect(stays).toContainEqual(expect.stringContaining('87-podman.conflist'));
  });

  test('is ended by kubeadm, where that is there', () => {
    const { commands } = explain([...deadCluster, 'program kubeadm /usr/bin/kubeadm']);
    expect(commands.slice(0, 2)).toEqual(['/usr/bin/kubeadm reset --force', 'systemctl disable --now kubelet.service']);
    expect(commands.filter((command) => /ctr|umount/.test(command))).toEqual([]);
  });
});

test.each<[string, readonly string[], readonly string[]]>([
  [
    'data of etcd that are of this cluster stay',
    ['path /var/lib/etcd/member', 'path /var/lib/kubelet'],
    ['rm -rf --one-file-system /var/lib/kubelet'],
  ],
  [
    'a disk of the administrator stays mounted',
    ['path /var/lib/kubelet', 'mount /var/lib/kubelet'],
    ['find /var/lib/kubelet -xdev -mindepth 1 -delete'],
  ],
  [
    'packages go as a whole, and what was written beside them',
    [
      'unit /usr/lib/systemd/system/kubelet.service',
      'unit /etc/systemd/system/kubelet.service.d/mine.conf',
      'package apt kubeadm',
      'package apt kubelet',
    ],
    [
      'systemctl disable --now kubelet.service',
      'apt-get purge --allow-change-held-packages kubeadm kubelet',
      'rm -f /etc/systemd/system/kubelet.service.d/mine.conf',
      'systemctl daemon-reload',
    ],
  ],
  [
    'crictl ends pods of any runtime',
    ['pods yes', 'socket /run/crio/crio.sock', 'program crictl /usr/bin/crictl', 'path /run/calico'],
    ['/usr/bin/crictl -r unix:///run/crio/crio.sock rmp --all --force', 'rm -rf --one-file-system /run/calico'],
  ],
  [
    'a name from a host is one word',
    ['path /etc/kubernetes/$(reboot).conf'],
    ["rm -f '/etc/kubernetes/$(reboot).conf'", 'rmdir --ignore-fail-on-non-empty /etc/kubernetes'],
  ],
  ['data of Docker and of pods alone are no remains', ['pods yes', 'socket /run/containerd/containerd.sock'], []],
])('%s', (_, said, commands) => {
  expect(explain(said).commands).toEqual(commands);
});

test.each<[string, readonly string[], readonly string[], string, readonly string[]]>([
  [
    'K3s',
    ['tool k3s', 'tool k3s-agent', 'program k3s-uninstall.sh /usr/local/bin/k3s-uninstall.sh'],
    [],
    'a server of K3s',
    ['/usr/local/bin/k3s-uninstall.sh'],
  ],
  ['RKE2 without its program', ['tool rke2', 'link cni0'], ['rke2-agent'], 'RKE2', []],
  [
    'k0s',
    ['program k0s /usr/local/bin/k0s'],
    ['k0sworker'],
    'k0s',
    ['/usr/local/bin/k0s stop || :', '/usr/local/bin/k0s reset', 'reboot'],
  ],
  [
    'MicroK8s',
    ['tool microk8s', 'program snap /usr/bin/snap', 'cni 10-calico.conflist'],
    [],
    'MicroK8s',
    ['/usr/bin/snap remove --purge microk8s'],
  ],
])('%s is ended by its own program alone', (_, said, running, what, commands) => {
  const explained = explain(said, { running });
  expect(explained.found).toEqual([what]);
  expect(explained.commands).toEqual(commands);
  const missing = explained.first.filter((text) => text.includes('is not on this host'));
  expect(missing).toHaveLength(commands.length === 0 ? 1 : 0);
});

test('where kbs has things of its own, only they go first', () => {
  const said = ['recorded first', 'unit /etc/systemd/system/kubelet.service', 'link cni0', 'path /etc/kubernetes/pki'];
  expect(explain(said).found).toEqual([]);
  const { found, first, commands } = explain([...said, 'tool k3s'], { foreignEtcd: true });
  expect(found).toEqual(['a server of K3s', 'data of the etcd of another cluster: /var/lib/etcd/member']);
  expect(first).toEqual([expect.stringContaining('kbs has things of cluster first on this host')]);
  expect(commands).toEqual([]);
});

test('a host is shown with its commands at the left, and one without remains not at all', () => {
  const empty = { found: [], first: [], commands: [], stays: [] };
  const problem = { code: 'unreachable', what: 'w2 does not answer', where: {}, why: [], next: 'see whether it is on' };
  const hosts = [
    { name: 'w0', ...explain(['link cni0']) },
    { name: 'w1', ...empty },
    { name: 'w2', problem, ...empty },
  ];
  expect(foreignText({ cluster: 'hybrid', hosts })).toBe(`w0
  ! network interfaces: cni0
  → take the host out of its cluster, where that cluster still runs: drain its node and delete it there
  as root on this host, in this order:
ip link delete cni0
  these leave:
  - container runtimes and their images, containers of Docker, and rules that others made

w2
  ✘ w2 does not answer
  → see whether it is on

nothing was changed: 1 host of cluster hybrid has things of another cluster; after the commands: kbs preflight
`);
  expect(foreignText({ cluster: 'hybrid', hosts: [{ name: 'w1', ...empty }] })).toBe(
    'nothing of another cluster on 1 host of cluster hybrid\n',
  );
});
