import { publishedArtifacts } from '../../src/artifacts/published.js';
import { sh } from '../../src/hosts/shell.js';
import type { Resource } from '../../src/resources/resource.js';
import { Secret } from '../../src/secret.js';

/** A resource, and what hosts answer when they are asked about it, by what is the matter. */
export interface Recording {
  readonly resource: Resource;
  readonly answers: Readonly<Record<string, string>>;
}

const service = `[Unit]
Description=try

[Service]
Type=simple
ExecStart=/bin/sleep infinity

[Install]
WantedBy=multi-user.target
`;

const oneshot = `[Unit]
Description=try

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStop=/bin/rm -f /run/o
ExecStart=/bin/sh -c 'echo $KBS_DIGEST >> /run/o'

[Install]
WantedBy=multi-user.target
`;

const serviceText = `Text=W1VuaXRdCkRlc2NyaXB0aW9uPXRyeQoKW1NlcnZpY2VdCkVudmlyb25tZW50PUtCU19ESUdFU1Q9MDljZTY5MzUzMDg5ODYyYQpUeXBlPXNpbXBsZQpFeGVjU3RhcnQ9L2Jpbi9zbGVlcCBpbmZpbml0eQoKW0luc3RhbGxdCldhbnRlZEJ5PW11bHRpLXVzZXIudGFyZ2V0Cg==`;
const oneshotText = `Text=W1VuaXRdCkRlc2NyaXB0aW9uPXRyeQoKW1NlcnZpY2VdCkVudmlyb25tZW50PUtCU19ESUdFU1Q9YjJkNDI5MTM2M2FlNWJkZApUeXBlPW9uZXNob3QKUmVtYWluQWZ0ZXJFeGl0PXllcwpFeGVjU3RvcD0vYmluL3JtIC1mIC9ydW4vbwpFeGVjU3RhcnQ9L2Jpbi9zaCAtYyAnZWNobyAkS0JTX0RJR0VTVCA+PiAvcnVuL28nCgpbSW5zdGFsbF0KV2FudGVkQnk9bXVsdGktdXNlci50YXJnZXQK`;

const shown = (facts: Readonly<Record<string, string>>, text: string): string =>
  [...Object.entries({ Touched: 'yes', ...facts }).map(([name, value]) => `${name}=${value}`), text].join('\n');

const running = {
  MainPID: '94',
  Environment: 'KBS_DIGEST=09ce69353089862a',
  ActiveState: 'active',
  UnitFileState: 'enabled',
  NeedDaemonReload: 'no',
  Running: '09ce69353089862a',
};
const ran = {
  MainPID: '0',
  Environment: 'KBS_DIGEST=b2d4291363ae5bdd',
  ActiveState: 'active',
  UnitFileState: 'enabled',
};

const table = `table inet kbs {
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr 10.244.0.0/16 masquerade
	}
}`;

const digests = {
  pause: 'sha256:7b7e4f0be11aac9e5a191ef4f6a877440e5b9d7a784804719fed79410ca8bc13',
  coredns: 'sha256:8fcd7118f316b10bb8b157295ed23b85760888cbf1cc91cbb5674922feecab18',
};

const zone = `a.internal. 60 IN SOA ns1.a.internal. hostmaster.a.internal. @SERIAL@ 60 60 60 60
ns1.a.internal. 60 IN A 192.0.2.53
`;

/** The text of a zone as a host prints it. */
const printed = (text: string): string => Buffer.from(text).toString('base64');

const program = <T>(found: T | undefined): T => {
  if (found === undefined) throw new Error('it is not published');
  return found;
};

const archive = (name: keyof typeof digests, version: string, packedSize: number) => ({
  archive: { name, sha256: '', size: packedSize, file: `/bundle/${name}.tar`, packedSize, packing: 'none' as const },
  images: [{ reference: `kbs.local/${name}:${version}`, digest: digests[name] }],
});

const kubelet = {
  name: 'kubelet',
  sha256: '5f1b0ee1ea8a4ac1d02cc4d7c8bb5a2c9be8d2b4f1bd1e1cc1b1ae33d0e9b2aa',
  size: 84426914,
  file: '/bundle/kubelet.zst',
  packedSize: 20000000,
  packing: 'zstd',
} as const;

/** What hosts download themselves, through a proxy. */
const published = publishedArtifacts(
  {
    binaries: [
      {
        name: 'kubeadm',
        url: 'https://dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubeadm',
        sha256: kubelet.sha256,
        saidBy: 'what is pinned',
      },
      {
        name: 'ctr',
        url: 'https://github.com/containerd/containerd/releases/download/v2.4.2/containerd-static-2.4.2-linux-amd64.tar.gz',
        sha256: 'a'.repeat(64),
        saidBy: 'its checksum',
        member: 'bin/ctr',
      },
    ],
    images: [
      {
        name: 'coredns',
        published: 'docker.io/coredns/coredns:1.15.0',
        reference: 'kbs.local/coredns:1.15.0',
        digest: digests.coredns,
      },
    ],
  },
  {
    arch: 'amd64',
    way: { proxy: { url: 'http://proxy.lan:3128', exclude: ['registry.lan', '10.0.0.0/8'] } },
    mirrors: { 'github.com': 'https://mirror.lan/github' },
  },
);

const repository = {
  name: 'repository',
  sha256: 'f1b0ee1ea8a4ac1d02cc4d7c8bb5a2c9be8d2b4f1bd1e1cc1b1ae33d0e9b2aa5',
  size: 28665856,
  file: '/bundle/packages/debian-12.tar',
  packedSize: 28665856,
  packing: 'none',
  distribution: 'debian-12',
} as const;

const installed = `package haproxy ii  2.6.12-1+deb12u4
package keepalived ii  1:2.2.7-1+b2`;

/** In the words of Debian 12 and containerd 2.4. */
export const recordings: Readonly<Record<Exclude<Resource['kind'], 'object' | 'release'>, readonly Recording[]>> = {
  package: [
    {
      resource: { kind: 'package', names: ['haproxy', 'keepalived'], repository },
      answers: {
        absent: 'touched no\ninstallation whole\npackage haproxy \npackage keepalived ',
        'as wanted': `touched yes\ninstallation whole\n${installed}`,
        'there before kbs': `touched no\ninstallation whole\n${installed}`,
        'one of them': 'touched no\ninstallation whole\npackage haproxy ii  2.6.12-1+deb12u4\npackage keepalived ',
        'cut off': `touched yes\ninstallation unfinished\n${installed.replace('ii', 'iF')}`,
        'without dpkg': 'touched no\ninstallation whole\nprogram haproxy\nprogram keepalived',
        'of rpm':
          'touched yes\ninstallation whole\npackage haproxy ii 2.4.22-3.el9_3\npackage keepalived ii 2.2.8-3.el9',
      },
    },
    {
      resource: { kind: 'package', names: ['nvidia-kernel-dkms'] },
      answers: {
        absent: 'touched no\ninstallation whole\npackage nvidia-kernel-dkms ',
        'as wanted': 'touched yes\ninstallation whole\npackage nvidia-kernel-dkms ii  535.261.03-1~deb12u1',
      },
    },
  ],
  zone: [
    {
      resource: {
        kind: 'zone',
        path: '/etc/coredns/zones/a.internal',
        content: zone,
        serial: 1763696000,
        mode: '0644',
      },
      answers: {
        absent: '',
        'as wanted': `file 644 root:root yes\n${printed(zone.replace('@SERIAL@', '7'))}`,
        'another host': `file 644 root:root yes\n${printed(zone.replace('@SERIAL@', '7').replace('2.53', '2.54'))}`,
        'without a serial': `file 644 root:root yes\n${printed('ns1.a.internal. 60 IN A 192.0.2.53\n')}`,
        'open to all': `file 666 nobody:nogroup yes\n${printed(zone.replace('@SERIAL@', '7'))}`,
        'a link': 'link - - no\nL2V0Yy9ob3N0cw==',
      },
    },
  ],
  file: [
    {
      resource: { kind: 'file', path: '/etc/kbs/a b.conf', content: 'one\ntwo\n', mode: '0644' },
      answers: {
        absent: '',
        'as wanted': 'file 644 root:root yes\nb25lCnR3bwo=',
        edited: 'file 644 root:root yes\nb25lCg==',
        'open to all': 'file 666 nobody:nogroup yes\nb25lCnR3bwo=',
        'a link': 'link - - no\nL2V0Yy9ob3N0cw==',
        'a directory': 'other 755 root:root no',
      },
    },
    {
      resource: { kind: 'file', path: '/etc/kbs/key', content: new Secret('hush'), mode: '0600' },
      answers: {
        absent: '',
        'as wanted': 'file 600 root:root yes\ndc8331bcb2283e89d275a1c2fe66f7bf5ac3163ec1967f149dd7e27906365f0c  -',
      },
    },
  ],
  directory: [
    {
      resource: { kind: 'directory', path: '/var/lib/etcd', mode: '0700' },
      answers: {
        absent: '',
        'as wanted': 'directory 700 root:root yes',
        'open to all': 'directory 2755 root:root yes',
        'there before kbs': 'directory 700 root:root no',
        'gone since': 'gone',
      },
    },
    {
      resource: { kind: 'directory', path: '/etc/cni/net.d', mode: '0755', shared: true },
      answers: { absent: '', 'as wanted': 'directory 755 root:root yes' },
    },
  ],
  binary: [
    {
      resource: { kind: 'binary', path: '/usr/local/bin/kubelet', content: kubelet },
      answers: {
        absent: '',
        'as wanted': `file yes 755 root:root 84426914 1763696000.123456789 1763696000.133456789\n${kubelet.sha256}`,
        'another version': `file yes 755 root:root 84000000 1763690000.000000000 1763690000.100000000\n${'0'.repeat(64)}`,
        'not executable': `file yes 644 root:root 84426914 1763696000.123456789 1763699999.000000000\n${kubelet.sha256}`,
        'a link': 'link no - - /opt/kubernetes/bin/kubelet',
      },
    },
    {
      resource: {
        kind: 'binary',
        path: '/usr/local/bin/kube-apiserver',
        content: kubelet,
        links: ['/usr/local/bin/kube-controller-manager', '/usr/local/bin/kube-scheduler'],
      },
      answers: {
        absent: '',
        'as wanted': `file yes 755 root:root 84426914 1763696000.123456789 1763696000.133456789\n${kubelet.sha256}\n/usr/local/bin/kube-controller-manager\n/usr/local/bin/kube-scheduler`,
        'one name missing': `file yes 755 root:root 84426914 1763696000.123456789 1763696000.133456789\n${kubelet.sha256}\n/usr/local/bin/kube-scheduler`,
      },
    },
    {
      resource: { kind: 'binary', path: '/usr/local/bin/kubeadm', content: program(published.binary('kubeadm')) },
      answers: {
        absent: '',
        'as wanted': `file yes 755 root:root 84426914 1763696000.123456789 1763696000.133456789\n${kubelet.sha256}`,
      },
    },
    {
      resource: { kind: 'binary', path: '/usr/local/bin/ctr', content: program(published.binary('ctr')) },
      answers: {
        absent: '',
        'as wanted': `file yes 755 root:root 84426914 1763696000.123456789 1763696000.133456789\n${kubelet.sha256} ${'a'.repeat(64)} bin/ctr`,
        'of another archive': `file yes 755 root:root 84426914 1763696000.123456789 1763696000.133456789\n${kubelet.sha256} ${'b'.repeat(64)} bin/ctr`,
        'not executable': `file yes 644 root:root 84426914 1763696000.123456789 1763699999.000000000\n${kubelet.sha256} ${'a'.repeat(64)} bin/ctr`,
      },
    },
  ],
  unit: [
    {
      resource: { kind: 'unit', name: 'kbs-a.service', text: service, inputs: [], runs: 'service' },
      answers: {
        absent: '',
        'as wanted': shown(running, serviceText),
        stopped: shown({ ...running, MainPID: '0', ActiveState: 'inactive', Running: '' }, serviceText),
        disabled: shown({ ...running, UnitFileState: 'disabled' }, serviceText),
        'started with other inputs': shown({ ...running, Running: '0123456789abcdef' }, serviceText),
        'edited, not reloaded': shown({ ...running, NeedDaemonReload: 'yes' }, 'Text=W1NlcnZpY2VdCg=='),
        masked: shown({ ...running, UnitFileState: 'masked' }, 'Link=/dev/null'),
      },
    },
    {
      resource: { kind: 'unit', name: 'kbs-o.service', text: oneshot, inputs: [], runs: 'oneshot' },
      answers: {
        'as wanted': shown({ ...ran, NeedDaemonReload: 'no' }, oneshotText),
        edited: shown({ ...ran, NeedDaemonReload: 'yes' }, 'Text=W1NlcnZpY2VdCg=='),
      },
    },
  ],
  sysctl: [
    {
      resource: { kind: 'sysctl', name: 'net.ipv4.ip_local_port_range', value: '20000 65000' },
      answers: {
        'as wanted': 'yes\n20000\t65000\n# Written by kbs.\nnet.ipv4.ip_local_port_range = 20000 65000',
        'as the kernel has it': 'no\n32768\t60999',
        'no such setting': '',
      },
    },
  ],
  'kernel-module': [
    {
      resource: { kind: 'kernel-module', name: 'br_netfilter', check: sh`[ -e /proc/sys/net/bridge ]` },
      answers: {
        absent: 'no no no',
        'as wanted': 'yes no yes',
        'built in': 'yes yes no',
        'loaded by another program': 'yes no no',
        'listed, not loaded': 'no no yes',
      },
    },
  ],
  swap: [
    {
      resource: { kind: 'swap', state: 'as-found' },
      answers: { 'as wanted': 'now /dev/sda2\nboot UUID=2', 'commented out by kbs': 'disabled none' },
    },
    {
      resource: { kind: 'swap', state: 'off' },
      answers: {
        'as wanted': '',
        'as installed': 'now /dev/sda2\nboot UUID=2',
        'on until the next boot': 'now /dev/zram0\ndisabled none',
        'commented out by kbs': 'disabled none',
        'in memory, by a service': 'now /dev/zram0\nunit zramswap.service',
        'by a unit': 'now /swapfile\nunit swapfile.swap\nunit dev-disk-by\\x2duuid-7.swap',
        'masked by kbs':
          'saved etc-systemd-system-dev\\x2ddisk\\x2dby\\x5cx2duuid\\x2d7.swap.none\nsaved etc-systemd-system-kubelet.service.none',
      },
    },
  ],
  route: [
    {
      resource: { kind: 'route', to: '10.244.1.0/24', via: '192.0.2.11' },
      answers: {
        absent: '',
        'as wanted': '10.244.1.0/24 via 192.0.2.11 dev eth0 proto static ',
        'by another way': '10.244.1.0/24 via 192.0.2.99 dev eth0 metric 100 ',
        'on the link': '10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1 ',
        'a hole': 'blackhole 10.244.1.0/24 ',
      },
    },
    {
      resource: { kind: 'route', to: '0.0.0.0/0', via: '192.0.2.254' },
      answers: { 'as wanted': 'default via 192.0.2.254 dev eth0 proto dhcp src 192.0.2.1 metric 100 ' },
    },
  ],
  'nft-table': [
    {
      resource: { kind: 'nft-table', family: 'inet', name: 'kbs', text: `${table}\n` },
      answers: {
        absent: '',
        unreadable: 'unknown nft: Error: Could not process rule: Operation not permitted',
        'as wanted': table,
        flushed: 'table inet kbs {\n\tchain postrouting {\n\t}\n}',
      },
    },
  ],
  'hosts-entry': [
    {
      resource: { kind: 'hosts-entry', address: '192.0.2.100', names: ['api.lan', 'api'] },
      answers: {
        absent: 'in /etc/hosts',
        'as wanted': 'in /etc/hosts\n192.0.2.100 api.lan api # kbs',
        moved: 'in /etc/hosts\n192.0.2.10\tapi.lan api\t# kbs',
        'lost at the next boot':
          'in /etc/hosts\n192.0.2.100 api.lan api # kbs\nin /etc/cloud/templates/hosts.debian.tmpl',
      },
    },
  ],
  image: [
    {
      resource: {
        kind: 'image',
        name: 'node',
        archives: [archive('pause', '1.0', 326144), archive('coredns', '1.15.0', 14952960)],
      },
      answers: {
        absent: '',
        'containerd down': 'unknown containerd does not run',
        'as wanted': `REF DIGEST\nkbs.local/coredns:1.15.0 ${digests.coredns}\nkbs.local/pause:1.0 ${digests.pause}\nsha256:aeb4b2a6 ${digests.coredns}`,
        'one missing': `REF DIGEST\nkbs.local/pause:1.0 ${digests.pause}`,
        'one under a wrong name': `REF DIGEST\nkbs.local/coredns:1.15.0 ${digests.pause}\nkbs.local/pause:1.0 ${digests.pause}`,
      },
    },
    {
      resource: {
        kind: 'image',
        name: 'node',
        archives: [archive('pause', '1.0', 326144), program(published.image('coredns'))],
      },
      answers: {
        absent: '',
        'as wanted': `REF DIGEST\nkbs.local/coredns:1.15.0 ${digests.coredns}\nkbs.local/pause:1.0 ${digests.pause}`,
      },
    },
  ],
  task: [
    {
      resource: {
        kind: 'task',
        name: 'join',
        check: sh`test -e /run/done`,
        run: sh`touch /run/done`,
        undo: sh`rm /run/done`,
      },
      answers: { absent: '', 'as wanted': 'yes' },
    },
  ],
};
