import { expect, test } from 'vitest';
import { parseFacts } from '../../../src/hosts/facts/facts.js';

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
address 127.0.0.1/8 lo host
address 192.168.20.7/24 eth0 global
route default via 192.168.20.1 dev eth0 proto dhcp
route 10.244.64.0/24 via 192.168.20.20 dev eth0
route 192.168.20.0/24 dev eth0 proto kernel scope link src 192.168.20.7
route 192.0.2.1 dev tun0
route blackhole 10.1.0.0/16 proto bird
route 10.2.0.0/16 proto bird metric 32
route nexthop via 192.168.20.1 dev eth0 weight 1
ipv6 yes
ipv6disabled /proc/sys/net/ipv6/conf/eth1/disable_ipv6
ipv6address eth0 fd00:192:168:20::7/64 scope global dynamic
ipv6address eth0 fd00:192:168:20::8/64 scope global dadfailed tentative
ipv6route fd00:192:168:20::/64 dev eth0 proto kernel metric 256 pref medium
ipv6route default via fe80::1 dev eth0 proto ra metric 1024 expires 1700sec hoplimit 64 pref medium
ipv6advertised /proc/sys/net/ipv6/conf/all/accept_ra
ipv6advertised /proc/sys/net/ipv6/conf/eth0.7/accept_ra
ipv6advertised /proc/sys/net/ipv6/conf/eth0.7/accept_ra
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
    ipv6: {
      isThere: true,
      disabledLinks: ['eth1'],
      addresses: [
        { link: 'eth0', address: 'fd00:192:168:20::7/64', isDuplicate: false },
        { link: 'eth0', address: 'fd00:192:168:20::8/64', isDuplicate: true },
      ],
      routes: [
        { to: 'fd00:192:168:20::/64', device: 'eth0' },
        { to: 'default', via: 'fe80::1', device: 'eth0' },
      ],
      advertisedLinks: ['eth0.7'],
    },
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
