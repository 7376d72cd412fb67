import { hostname } from 'node:os';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { archOfThisMachine, machineNames } from '../../../src/artifacts/arch.js';
import { parseFacts, unreadableCa } from '../../../src/hosts/facts/facts.js';
import { factsScript } from '../../../src/hosts/facts/script.js';
import { query } from '../../../src/hosts/host.js';
import { fingerprintOf } from '../../../src/pki/certificate.js';
import { testCertificate } from '../../pki/keys.js';
import { createWorld } from '../../resources/overlay-host.js';
import { here } from '../../support/here.js';
import { lacks } from '../../support/needs.js';

test('the output of the script is read', () => {
  const said = `hostname rack-07
arch x86_64
model Raspberry Pi 5 Model B Rev 1.0
os Debian GNU/Linux 12 (bookworm)
kernel 6.1.0-28-amd64
clock 1795000000
uid 0
systemd yes
cgroup v2
controller cpu
controller memory
cpus 8
memory 32768000
virtualization kvm
oom yes
conntrack yes
feature overlay
feature nf_tables
tool ip
address 192.168.20.7/24
route default via 192.168.20.1 dev eth0 proto dhcp
route 10.244.64.0/24 via 192.168.20.20 dev eth0
route 192.168.20.0/24 dev eth0 proto kernel scope link src 192.168.20.7
route 192.0.2.1 dev tun0
route blackhole 10.1.0.0/16 proto bird
route 10.2.0.0/16 proto bird metric 32
route nexthop via 192.168.20.1 dev eth0 weight 1
swap /dev/sda2
resolvconf /run/systemd/resolve/resolv.conf
nameserver 127.0.0.53
nameserver 192.168.20.1
nameserver fd00::53
resolver resolved
search office.internal  lab.internal
resolveroptions edns0 trust-ad
nameservice 127.0.0.53%lo users:(("systemd-resolve",pid=1,fd=3))
nameservice 0.0.0.0
networkdaemon networkd
listener 22 users:(("sshd",pid=1,fd=3))
listener 6443
firewall forward ip filter FORWARD
firewall input iptables-legacy filter INPUT
firewallrule ip filter FORWARD counter packets 0 bytes 0 jump DOCKER-USER
firewallrule iptables-legacy filter INPUT -i lo -j ACCEPT
cniconfig 10-kbs.conflist
commanddropin /etc/systemd/system/etcd.service.d/x.conf
dropin /etc/containerd/conf.d/own.toml
machineid abc
etcdservers https://127.0.0.1:2379
clusterca 4af7c1
`;
  expect(parseFacts(said)).toEqual({
    hostname: 'rack-07',
    arch: 'x86_64',
    model: 'Raspberry Pi 5 Model B Rev 1.0',
    os: 'Debian GNU/Linux 12 (bookworm)',
    kernel: '6.1.0-28-amd64',
    clock: 1795000000,
    uid: 0,
    systemd: true,
    cgroup: 'v2',
    controllers: ['cpu', 'memory'],
    cpus: 8,
    memory: 32768000,
    virtualization: 'kvm',
    oomAdjustable: true,
    conntrackWritable: true,
    features: ['overlay', 'nf_tables'],
    tools: ['ip'],
    addresses: ['192.168.20.7/24'],
    routes: [
      { to: 'default', via: '192.168.20.1', device: 'eth0' },
      { to: '10.244.64.0/24', via: '192.168.20.20', device: 'eth0' },
      { to: '192.168.20.0/24', device: 'eth0' },
      { to: '192.0.2.1/32', device: 'tun0' },
      { to: '10.1.0.0/16', device: '' },
      { to: '10.2.0.0/16', device: '' },
    ],
    swaps: ['/dev/sda2'],
    nameservers: ['192.168.20.1', 'fd00::53'],
    hostOnlyNameservers: ['127.0.0.53', 'fd00::53'],
    resolvConf: '/run/systemd/resolve/resolv.conf',
    resolver: 'resolved',
    searchDomains: ['office.internal', 'lab.internal'],
    resolverOptions: ['edns0', 'trust-ad'],
    nameServices: [
      { address: '127.0.0.53', process: 'systemd-resolve' },
      { address: '0.0.0.0', process: '' },
    ],
    networkDaemons: ['networkd'],
    listeners: [
      { port: 22, process: 'sshd' },
      { port: 6443, process: '' },
    ],
    firewalls: [
      {
        hook: 'forward',
        table: 'ip filter',
        chain: 'FORWARD',
        rules: [{ chain: 'FORWARD', text: 'counter packets 0 bytes 0 jump DOCKER-USER' }],
      },
      {
        hook: 'input',
        table: 'iptables-legacy filter',
        chain: 'INPUT',
        rules: [{ chain: 'INPUT', text: '-i lo -j ACCEPT' }],
      },
    ],
    cniConfigs: ['10-kbs.conflist'],
    commandDropIns: ['/etc/systemd/system/etcd.service.d/x.conf'],
    dropIns: ['/etc/containerd/conf.d/own.toml'],
    machineId: 'abc',
    etcdMember: false,
    etcdInstalled: false,
    etcdServers: ['https://127.0.0.1:2379'],
    clusterCa: '4af7c1',
    gpu: { busRead: false, devices: [], switches: 0, iommu: false, nodes: [] },
  });
});

test('this machine answers every question', async () => {
  const from = Math.floor(Date.now() / 1000);
  const { code, stdout } = await here().query(query(factsScript));
  expect(code).toBe(0);
  const facts = parseFacts(stdout);
  expect(facts).toMatchObject({
    hostname: hostname(),
    arch: machineNames[archOfThisMachine()],
    uid: process.getuid?.(),
  });
  expect(facts.controllers).toContain('memory');
  expect(facts.tools).toContain('sha256sum');
  expect(facts.cpus).toBeGreaterThan(0);
  expect(facts.clock).toBeGreaterThanOrEqual(from);
});

test('a program that begins to listen while ss looks is known by name all the same', async () => {
  const line = 'LISTEN 0 4096 127.0.0.1:10256 0.0.0.0:*';
  const script = `looks=$(mktemp)
ss() {
  case $1 in -Hltnp) ;; *) return 0 ;; esac
  echo x >> "$looks"
  if [ "$(wc -l < "$looks")" = 1 ]; then echo '${line}'; else echo '${line} users:(("kube-proxy",pid=7,fd=3))'; fi
}
${factsScript}
rm "$looks"`;
  const { stdout } = await execa('sh', ['-eu'], { input: script });
  expect(parseFacts(stdout).listeners).toEqual([{ port: 10256, process: 'kube-proxy' }]);
});

test.skipIf(lacks('root'))('files that others left are found, and drop-ins only where they count', async () => {
  const script = `mount -t tmpfs none /etc
mkdir -p /etc/cni/net.d
touch /etc/cni/net.d/05-cilium.conflist /etc/cni/net.d/10-kbs.conflist /etc/cni/net.d/99-loopback.conf /etc/cni/net.d/README
mount -t tmpfs none /usr/local/lib
drop_in() { mkdir -p "\${1%/*}"; printf '[Service]\\n%s\\n' "$2" > "$1"; }
drop_in /usr/local/lib/systemd/system/kubelet.service.d/10-kubeadm.conf ExecStart=/usr/bin/kubelet
drop_in /usr/local/lib/systemd/system/kubelet.service.d/20-masked.conf ExecStart=/usr/bin/kubelet
drop_in /usr/local/lib/systemd/system/etcd.service.d/replaced.conf 'ExecStart = /usr/bin/etcd'
drop_in /etc/systemd/system/etcd.service.d/replaced.conf Nice=5
drop_in /etc/systemd/system/containerd.service.d/proxy.conf Environment=HTTP_PROXY=http://10.0.0.1
drop_in /etc/systemd/system/containerd.service.d/own.conf 'ExecStart='
mkdir -p /etc/systemd/system/kubelet.service.d
ln -s /dev/null /etc/systemd/system/kubelet.service.d/20-masked.conf
mkdir -p /etc/containerd/conf.d
touch /etc/containerd/conf.d/50-kbs.toml /etc/containerd/conf.d/90-own.toml /etc/containerd/conf.d/README
${factsScript}`;
  const { stdout } = await execa('unshare', ['--mount', 'sh', '-eu'], { input: script });
  expect(parseFacts(stdout)).toMatchObject({
    cniConfigs: ['99-loopback.conf', '05-cilium.conflist', '10-kbs.conflist'],
    commandDropIns: [
      '/etc/systemd/system/containerd.service.d/own.conf',
      '/usr/local/lib/systemd/system/kubelet.service.d/10-kubeadm.conf',
    ],
    dropIns: [
      '/etc/systemd/system/containerd.service.d/own.conf',
      '/etc/systemd/system/containerd.service.d/proxy.conf',
      '/usr/local/lib/systemd/system/kubelet.service.d/10-kubeadm.conf',
      '/etc/containerd/conf.d/90-own.toml',
    ],
  });
});

describe.skipIf(lacks('root'))('the resolvers that pods inherit', () => {
  const stub = 'nameserver 127.0.0.53';
  test.each<[string, string, string, string]>([
    ['of a plain file', 'echo nameserver 10.0.0.1 > /etc/resolv.conf', '/etc/resolv.conf', '10.0.0.1'],
    [
      'of systemd-resolved',
      `mkdir -p /run/systemd/resolve; echo '${stub}' > /run/systemd/resolve/stub-resolv.conf
ln -s /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf; echo nameserver 10.0.0.2 > /run/systemd/resolve/resolv.conf`,
      '/run/systemd/resolve/resolv.conf',
      '10.0.0.2',
    ],
    [
      'of systemd-resolved, which knows none',
      `mkdir -p /run/systemd/resolve; echo '${stub}' > /run/systemd/resolve/stub-resolv.conf
ln -s /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf; echo '# none' > /run/systemd/resolve/resolv.conf`,
      '/run/systemd/resolve/resolv.conf',
      '',
    ],
    [
      'of a plain file beside a systemd-resolved that knows none',
      "mkdir -p /run/systemd/resolve; echo '# none' > /run/systemd/resolve/resolv.conf; echo nameserver 10.0.0.3 > /etc/resolv.conf",
      '/etc/resolv.conf',
      '10.0.0.3',
    ],
  ])('are those %s', async (_, before, resolvConf, server) => {
    const script = `cp -a /etc/alternatives /tmp/$$; mount -t tmpfs none /etc; mv /tmp/$$ /etc/alternatives
mount -t tmpfs none /run\n${before}\n${factsScript}`;
    const { stdout } = await execa('unshare', ['--mount', 'sh', '-eu'], { input: script });
    const nameservers = server === '' ? [] : [server];
    expect(parseFacts(stdout)).toMatchObject({ resolvConf, nameservers, hostOnlyNameservers: [] });
  });
});

test.skipIf(lacks('root'))('to answer changes nothing on the host', async () => {
  const world = await createWorld();
  try {
    const before = await world.changes();
    expect(await world.run(factsScript)).toContain('hostname ');
    expect(await world.changes()).toBe(before);
  } finally {
    await world.end();
  }
});

describe.skipIf(lacks('root'))('the cluster that a host belongs to', async () => {
  const pem = await testCertificate();
  const fingerprint = fingerprintOf(pem);
  const other = fingerprintOf(await testCertificate());
  const file = '/etc/kubernetes/pki/ca.crt';
  const put = (path: string, text: string): string =>
    `mkdir -p ${path.replace(/\/[^/]*$/, '')}; cat > ${path} <<'END'\n${text}\nEND\n`;

  test.each<[string, string, string | undefined]>([
    ['that was never in one', ':', undefined],
    ['that has a CA', put(file, pem), fingerprint],
    ['that has a CA with text around it', put(file, `subject=CN = kubernetes\n${pem}\nbye`), fingerprint],
    ['that has two CAs', put(file, `${pem}${await testCertificate()}`), fingerprint],
    ['that has an empty file', put(file, ''), unreadableCa],
    ['that has half a certificate', put(file, pem.slice(0, 300)), unreadableCa],
    ['that has garbage', put(file, pem.replaceAll('M', '*')), unreadableCa],
    ['that has a folder in its place', `mkdir -p ${file}`, unreadableCa],
    ['that has a link to nothing', `mkdir -p ${file.slice(0, -7)}; ln -s nothing ${file}`, unreadableCa],
    ['whose haproxy is not of kbs', put('/etc/haproxy/ca.crt', pem), undefined],
    ['that is a load balancer', `${put('/etc/haproxy/ca.crt', pem)}${put('/etc/kbs/haproxy-health', '')}`, fingerprint],
  ])('of a host %s', async (_, before, expected) => {
    expect(other).not.toBe(fingerprint);
    const script = `mount -t tmpfs none /etc; mount -t tmpfs none /usr/local/lib\n${before}\n${factsScript}`;
    const { stdout } = await execa('unshare', ['--mount', 'sh', '-eu'], { input: script });
    expect(parseFacts(stdout).clusterCa).toBe(expected);
  });

  test('is unreadable, not absent, for a user who may not search the folder', async () => {
    const script = `mount -t tmpfs none /etc; mkdir -p -m 700 /etc/kubernetes
cat > /etc/facts.sh <<'END'
${factsScript}
END`;
    const { stdout } = await execa('unshare', [
      '--mount',
      'sh',
      '-euc',
      `${script}\nexec setpriv --reuid 65534 --regid 65534 --clear-groups sh -eu /etc/facts.sh`,
    ]);
    expect(parseFacts(stdout)).toMatchObject({ uid: 65534, clusterCa: unreadableCa });
  });
});
