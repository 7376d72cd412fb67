import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../src/engine/plan.js';
import { labReboot } from '../../src/lab/index.js';
import type { Preflight } from '../../src/workflows/preflight.js';
import {
  compare,
  dropIn,
  type Fault,
  type FaultKind,
  fix,
  full,
  noPrograms,
  on,
  otherDns,
  plant,
  readOnly,
  taken,
  without,
  withoutInodes,
  withoutKernelLog,
} from './support/faults.js';
import { readyNodes } from './support/kubectl.js';
import { linesOf, makeProject, type Project } from './support/project.js';
import { whole } from './support/whole.js';

describe('a machine with four faults', () => {
  let project: Project;
  const faults = on(
    'controller-00',
    readOnly('/usr/local'),
    full('/var/lib/containerd'),
    taken(10257, 'kube-controller-manager'),
    withoutKernelLog,
  );
  const command = `init --yes --skip-check ${faults.map(({ check }) => check).join()}`;

  beforeAll(async () => {
    project = await makeProject('broken-one', single);
    await project.kbs('lab up');
    await plant(project, faults);
  });
  afterAll(() => project?.remove());

  test('is refused for all of them at once', async () => {
    const { stderr } = await project.kbs('init --yes', { exit: 4 });
    for (const { check, detail, next } of faults) {
      expect(stderr).toContain(`${check}: ${detail}`);
      expect(stderr).toContain(next);
    }
    expect(compare(await project.json<Preflight>('preflight', 4), faults)).toEqual({ notNamed: [], others: [] });
  });

  test('ends init with the reason of one that was skipped, and once that is fixed, with that of the next', async () => {
    const { stderr } = await project.kbs(command, { exit: 6 });
    expect(stderr).toContain('Read-only file system');
    await fix(project, faults.slice(0, 1));
    const next = await project.kbs(command, { exit: 6 });
    expect(next.stderr).toContain('no space left on device');
  });

  test.runIf(whole)('becomes a cluster by the same command once all are fixed', async () => {
    await fix(project, faults.slice(1));
    await project.kbs(command);
    expect(await readyNodes(project)).toEqual(['controller-00']);
  });
});

const single = `apiVersion: kbs/v1
cluster: broken-one
kubernetes: { version: 1.36.3 }
network:
  pods: 10.220.0.0/16
  services: 10.221.0.0/16
  segments:
    lan: { cidr: 172.27.22.0/24, gateway: 172.27.22.1 }
hosts:
  controller-00: { address: 172.27.22.10, roles: [control-plane, worker] }
`;

/** `npm run test:broken`. */
describe.runIf(whole)('a lab full of faults', () => {
  let project: Project;
  let faults: readonly Fault[];

  beforeAll(async () => {
    project = await makeProject('broken', inventory());
    // One machine is in the lab and not in the inventory.
    await project.write('lab.yaml', `${inventory()}  stranger: { address: 172.27.20.30, roles: [worker] }\n`);
    await project.kbs('lab up -i lab.yaml');
    faults = faultsWith(await hostKeyOfClones(project));
  });
  afterAll(() => project?.remove());

  test('is told apart from itself without faults', async () => {
    const { stdout } = await project.kbs('preflight');
    expect(stdout).toMatch(/^ready: \d+ hosts of cluster broken, no check failed\n$/);
  });

  test('has each named by one preflight, with its fix', async () => {
    await plant(project, faults);
    await project.on('x-4', 'systemctl stop ssh');
    await project.write('kbs.yaml', inventory({ 'x-0': 'ssh: { user: stranger }', 'x-1': 'ssh: { user: nosudo }' }));
    await changeKnownHosts(project);
    const preflight = await project.json<Preflight>('preflight', 4);
    expect(compare(preflight, faults)).toEqual({ notNamed: [], others: [] });
    const problems = Object.fromEntries(
      preflight.hosts.flatMap(({ name, problem }) => (problem ? [[name, problem]] : [])),
    );
    expect(problems).toEqual({
      'x-0': expect.objectContaining({
        what: 'x-0 does not let stranger in at 172.27.20.50:22',
        next: expect.stringContaining("the public key belongs in that user's ~/.ssh/authorized_keys"),
      }),
      'x-1': expect.objectContaining({
        what: expect.stringContaining('does not let its user become root'),
        next: expect.stringContaining('kbs sudoers'),
      }),
      'x-2': expect.objectContaining({
        what: 'x-2 at 172.27.20.52:22 shows a host key that is not known',
        next: expect.stringContaining('--accept-new-host-keys'),
      }),
      'x-3': expect.objectContaining({
        what: expect.stringContaining('HOST KEY CHANGED: x-3'),
        next: expect.stringContaining(`ssh-keygen -f ${join(project.labFiles, 'known_hosts')} -R 172.27.20.53`),
      }),
      'x-4': expect.objectContaining({
        what: 'cannot connect to x-4 at 172.27.20.54:22',
        next: 'see that sshd runs there, and listens at that port',
      }),
    });
    expect(faults.length + Object.keys(problems).length).toBeGreaterThan(30);
  });

  test('is ready once each was fixed as it says', async () => {
    await execa('ssh-keygen', ['-q', '-f', join(project.labFiles, 'known_hosts'), '-R', '172.27.20.53']);
    await labReboot('broken/x-4');
    await fix(project, faults);
    await project.write('kbs.yaml', fixed);
    const { stdout } = await project.kbs('preflight --accept-new-host-keys');
    expect(stdout).toMatch(/^ready: \d+ hosts of cluster broken, no check failed\n$/);
  });

  test('lets init fail with the reason of each that it skips, and go on once that is fixed', async () => {
    await plant(
      project,
      [...first, ...second].map(({ fault }) => fault),
    );
    const checks = new Set([...first, ...second].map(({ fault }) => fault.check));
    const command = `init --yes --timeout 60 --skip-check ${[...checks].join()}`;
    await endsWith(project, command, first);
    await fix(
      project,
      first.map(({ fault }) => fault),
    );
    await endsWith(project, command, second);
    await fix(
      project,
      second.map(({ fault }) => fault),
    );
    await project.kbs(command);
    expect(await readyNodes(project)).toEqual(['controller-00', 'controller-01', 'controller-02']);
    expect(
      linesOf(await project.json<Plan>(`plan --limit lb-0,lb-1,ns,controller-00,controller-01,controller-02`)),
    ).toEqual([]);
  });
});

/** A fault, and what init says of its host where the check is skipped. */
interface Skipped {
  readonly fault: Fault;
  readonly phase: string;
  readonly why: string;
}

const skipped = (host: string, kind: FaultKind, phase: string, why: string): Skipped => ({
  fault: { ...kind, host },
  phase,
  why,
});

/** What ends the first phases of its host. */
const first: readonly Skipped[] = [
  skipped('lb-0', without.apt, 'load-balancer', 'kbs knows packages of apt and dnf only'),
  skipped('lb-1', taken(6443, 'haproxy'), 'load-balancer', 'Address already in use'),
  skipped('ns', otherDns('172.27.20.9'), 'lan-dns', 'address already in use'),
  skipped('controller-00', readOnly('/usr/local'), 'prepare', 'Read-only file system'),
  skipped('controller-01', withoutInodes('/opt'), 'runtime', 'No space left on device'),
  skipped('controller-02', noPrograms('/usr/local'), 'prepare', 'Permission denied'),
];

/** What ends later ones. */
const second: readonly Skipped[] = [
  skipped('controller-00', without.nft, 'cni', 'nft'),
  skipped('controller-01', full('/usr/local'), 'runtime', 'no space left on device'),
  skipped('controller-02', dropIn('containerd.service'), 'runtime', '/usr/bin/other'),
];

const endsWith = async (project: Project, command: string, expected: readonly Skipped[]): Promise<void> => {
  const { stderr } = await project.kbs(command, { exit: 6 });
  const missing = expected.filter(
    ({ fault: { host }, phase, why }) => !(stderr.includes(host) && stderr.includes(phase) && stderr.includes(why)),
  );
  expect(
    missing.map(({ fault: { host }, phase, why }) => `${host} ${phase}: ${why}`),
    stderr,
  ).toEqual([]);
};

/** Both clones have this key, too; the lab knows hosts by another one. */
const hostKeyOfClones = async ({ folder }: Project): Promise<string> => {
  const file = join(folder, 'clone');
  await execa('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-C', 'clone', '-f', file]);
  return readFile(`${file}.pub`, 'utf8');
};

/** x-2 was never seen, and x-3 was installed anew: it has the key of another machine. */
const changeKnownHosts = async (project: Project): Promise<void> => {
  const file = join(project.labFiles, 'known_hosts');
  const lines = (await readFile(file, 'utf8')).split('\n');
  const keyOf = (name: string) => lines.find((line) => line.includes(`,${name} `))?.replace(/^\S+ /, '') ?? '';
  const changed = lines
    .filter((line) => !line.includes(',x-2 '))
    .map((line) => (line.includes(',x-3 ') ? line.replace(keyOf('x-3'), keyOf('stranger')) : line));
  await project.write(`.kbs/${project.name}/lab/known_hosts`, changed.join('\n'));
};

const inventory = (more: Readonly<Record<string, string>> = {}, settings = { endpoint: '', dns: '' }): string => {
  const host = (name: string, address: string, role: string) =>
    `  ${name}: { address: ${address}, roles: [${role}]${name in more ? `, ${more[name]}` : ''} }\n`;
  return `apiVersion: kbs/v1
cluster: broken
kubernetes: { version: 1.36.3 }
network:
  pods: 10.218.0.0/16
  services: 10.219.0.0/16
  segments:
    office: { cidr: 172.27.20.0/24, gateway: 172.27.20.1 }
    rack: { cidr: 172.27.21.0/24, gateway: 172.27.21.1 }
endpoint: { name: api.broken.internal, vip: 172.27.20.5${settings.endpoint} }
dns: { zone: broken.internal${settings.dns} }
hosts:
${[
  host('lb-0', '172.27.20.6', 'load-balancer'),
  host('lb-1', '172.27.20.7', 'load-balancer'),
  host('ns', '172.27.20.9', 'dns'),
  ...[0, 1, 2].map((n) => host(`controller-0${n}`, `172.27.20.1${n}`, 'control-plane')),
  ...[0, 1, 2, 3, 4, 5].map((n) => host(`w-${n}`, `172.27.20.2${n}`, 'worker')),
  ...[6, 7].map((n) => host(`w-${n}`, `172.27.21.2${n}`, 'worker')),
  ...[0, 1, 2, 3, 4].map((n) => host(`x-${n}`, `172.27.20.5${n}`, 'worker')),
].join('')}`;
};

/** What the next steps say of the inventory. */
const fixed = inventory({}, { endpoint: ', routerId: 77', dns: ', upstreams: [172.27.20.30]' });

/** Each load balancer hears the machine that has the virtual address, and the router that has its id. */
const onTheWire: readonly Fault[] = on(
  'lb-0',
  {
    at: 'stranger',
    check: 'vip',
    detail: '172.27.20.5 is in use: ',
    next: 'switch that machine off',
    plant: 'ip addr add 172.27.20.5/24 dev eth0',
    fix: 'ip addr del 172.27.20.5/24 dev eth0',
  },
  {
    at: 'stranger',
    check: 'router-id',
    detail: '172.27.20.30 uses the virtual router id 5 for 172.27.20.66',
    next: 'write another endpoint.routerId, from 1 to 255',
    plant: `systemd-run -q --unit=other-router perl -MSocket -e '
  socket(my $vrrp, PF_INET, SOCK_RAW, 112) or die; setsockopt($vrrp, 0, 32, inet_aton("172.27.20.30")) or die;
  while (1) { send($vrrp, pack("C6 n a4", 0x21, 5, 100, 1, 0, 1, 0, inet_aton("172.27.20.66")), 0, sockaddr_in(0, inet_aton("224.0.0.18"))); select undef, undef, undef, 0.3 }'`,
    fix: ':',
  },
);

const faultsWith = (hostKey: string): readonly Fault[] => [
  ...on('lb-0', without.apt, taken(6443, 'haproxy')),
  ...onTheWire,
  ...onTheWire.map((fault): Fault => ({ ...fault, host: 'lb-1', plant: ':', fix: ':' })),
  ...on(
    'lb-1',
    {
      check: 'vip',
      detail: 'no interface is in the network of 172.27.20.5 (the machine has 172.27.20.7/32)',
      next: 'ip addr add 172.27.20.7/24 dev eth0',
      plant: `ip addr add 172.27.20.7/32 dev eth0; ip addr del 172.27.20.7/24 dev eth0
ip route replace 172.27.20.1 dev eth0; ip route replace default via 172.27.20.1`,
    },
    {
      check: 'next-hop',
      detail: 'leads by the gateway 172.27.20.1',
      next: 'use addresses of a network that these machines share without a router',
      plant: ':',
      fix: 'ip addr del 172.27.20.7/32 dev eth0; ip route replace default via 172.27.20.1',
    },
  ),
  ...on('ns', otherDns('172.27.20.9'), {
    check: 'upstream-resolver',
    detail: 'the DNS server of the LAN can ask no resolver of /etc/resolv.conf: 127.0.0.1 is for the host alone',
    next: 'write `dns: { upstreams: [ADDRESS] }`',
    plant: 'echo nameserver 127.0.0.1 > /etc/resolv.conf',
    fix: ':',
  }),
  ...on(
    'controller-00',
    taken(6443, 'kube-apiserver'),
    {
      check: 'hosts-line',
      detail: 'says that api.broken.internal is 172.27.20.99, and in this cluster it is 172.27.20.5',
      next: 'delete that line: kbs writes one of its own',
      plant: "echo '172.27.20.99 api.broken.internal' >> /etc/hosts",
      fix: "sed -i '/172.27.20.99/d' /etc/hosts",
    },
    {
      check: 'firewall',
      detail: 'drops what none of its rules accepts, and none accepts port 6443 of kube-apiserver',
      next: 'nft insert rule inet filter input ip saddr { 10.218.0.0/16, 172.27.20.0/24, 172.27.21.0/24 } accept',
      plant: `nft -f - <<'END'
table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    iif lo accept
    tcp dport 22 accept
  }
}
END`,
    },
  ),
  ...on(
    'controller-01',
    {
      check: 'foreign-etcd',
      detail: '/var/lib/etcd has data that cluster broken did not put there',
      next: 'mv /var/lib/etcd/member /var/lib/etcd-member.old',
      plant: 'mkdir -p /var/lib/etcd/member/wal /var/lib/etcd/member/snap',
    },
    {
      check: 'other-cluster',
      detail: '/etc/kubernetes/manifests has the control plane of another cluster',
      next: 'take the host out of its cluster, then: kubeadm reset',
      plant: 'mkdir -p /etc/kubernetes/manifests; echo "kind: Pod" > /etc/kubernetes/manifests/kube-apiserver.yaml',
      fix: 'rm -r /etc/kubernetes',
    },
    sendsFrom(
      '172.27.20.111',
      '172.27.20.11',
      '172.27.20.1',
      'what the host sends to controller-00, controller-02 comes from 172.27.20.111 on eth0',
    ),
  ),
  ...on(
    'controller-02',
    {
      check: 'authority',
      detail: 'this host belongs to a cluster whose CA is not in this keyring',
      next: 'bring the keyring of that cluster to .kbs beside the inventory; to end the other cluster on this host for good',
      plant: `mkdir -p /etc/kubernetes/pki
openssl req -x509 -newkey ed25519 -nodes -subj /CN=kubernetes -keyout /dev/null -out /etc/kubernetes/pki/ca.crt 2>/dev/null`,
      fix: 'rm -r /etc/kubernetes',
    },
    taken(2379, 'etcd'),
  ),
  ...on('w-0', without.nft, without.sha256sum, withoutKernelLog),
  ...on(
    'w-1',
    readOnly('/etc'),
    {
      check: 'mtu',
      detail: 'eth0 has the MTU 1200, below 1280',
      next: 'ip link set eth0 mtu 1500',
      plant: 'ip link set eth0 mtu 1200',
    },
    {
      check: 'mtu',
      detail: '1200: w-1 (eth0)',
      next: 'set the same MTU on all of them',
      plant: ':',
      fix: ':',
    },
    {
      check: 'forwarding',
      detail: 'eth0 forwards no packets, so none that come in there reach pods',
      next: 'sysctl -w net.ipv4.conf.eth0.forwarding=1',
      plant: 'sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.eth0.forwarding=0',
    },
  ),
  ...on('w-2', noPrograms('/opt'), full('/usr/local'), {
    check: 'overlay',
    detail: '/var/lib/containerd lies on overlay (/var/lib/containerd), where the kernel lays no overlay',
    next: 'mount a file system of type ext4 or xfs at /var/lib/containerd',
    plant: `mkdir -p /var/lib/containerd /var/tmp/lower /var/tmp/upper /var/tmp/work
mount -t overlay overlay -o lowerdir=/var/tmp/lower,upperdir=/var/tmp/upper,workdir=/var/tmp/work /var/lib/containerd`,
    fix: 'umount /var/lib/containerd',
  }),
  ...on(
    'w-3',
    withoutInodes('/opt'),
    {
      check: 'foreign-cni',
      detail: '/etc/cni/net.d/05-other.conflist comes before 10-kbs.conflist',
      next: 'move the file to another folder',
      plant: 'mkdir -p /etc/cni/net.d; echo "{}" > /etc/cni/net.d/05-other.conflist',
      fix: 'mv /etc/cni/net.d/05-other.conflist /root',
    },
    {
      check: 'foreign-cni',
      detail: 'the bridge cni0 has the address 10.88.0.1/16 of another cluster',
      next: 'ip link delete cni0',
      plant: 'ip link add cni0 type bridge; ip addr add 10.88.0.1/16 dev cni0',
    },
    {
      check: 'foreign-link',
      detail: 'flannel.1: interfaces of another network plugin',
      next: 'ip link delete flannel.1',
      plant: 'ip link add flannel.1 type vxlan id 1 dstport 8472 dev eth0',
    },
    dropIn('kubelet.service'),
  ),
  ...on(
    'w-4',
    {
      check: 'other-cluster',
      detail: 'a kubelet runs that kbs did not install',
      next: 'systemctl disable --now kubelet',
      plant: service('kubelet', '/usr/bin/socat TCP-LISTEN:10250,fork EXEC:true'),
    },
    { ...taken(10250, 'kubelet'), plant: ':', fix: ':' },
    {
      check: 'other-cluster',
      detail: 'an agent of K3s is installed and started on this host',
      next: 'k3s-agent-uninstall.sh',
      plant: `${service('k3s-agent', '/bin/sleep infinity')}
printf '%s\\n' '#!/bin/sh' 'systemctl disable --now k3s-agent; rm /etc/systemd/system/k3s-agent.service' > /usr/local/bin/k3s-agent-uninstall.sh
chmod +x /usr/local/bin/k3s-agent-uninstall.sh`,
    },
  ),
  ...on(
    'w-5',
    readOnly('/usr/local'),
    {
      check: 'firewall',
      detail: '(Docker) drops what none of its rules accepts, and none accepts packets of pods, 10.218.0.0/16',
      next: 'iptables -I DOCKER-USER -s 10.218.0.0/16 -j ACCEPT && iptables -I DOCKER-USER -d 10.218.0.0/16 -j ACCEPT',
      plant: `iptables -N DOCKER-USER; iptables -N DOCKER; iptables -A DOCKER-USER -j RETURN
iptables -A FORWARD -j DOCKER-USER; iptables -A FORWARD -o docker0 -j DOCKER; iptables -P FORWARD DROP`,
    },
    {
      check: 'default-route',
      detail: 'there is no default route, and none of their own',
      next: 'ip route add 10.219.0.0/16 dev eth0',
      plant: 'ip route del default',
    },
    {
      check: 'network-overlap',
      detail: 'network.services 10.219.0.0/16 overlaps the route to 10.219.128.0/17 on eth0',
      next: 'choose another network.services in the inventory, such as 10.96.0.0/16, which no route of this host covers',
      plant: 'ip route add 10.219.128.0/17 via 172.27.20.1',
      fix: 'ip route del 10.219.128.0/17',
    },
  ),
  ...on(
    'w-6',
    {
      check: 'network-overlap',
      detail:
        'network.pods 10.218.0.0/16 overlaps the route to 10.218.0.0/16 on eth0 in table 52, which rule 5270 asks before the main table',
      next: 'ip rule add to 10.218.0.0/16 lookup main priority 5269',
      plant: 'ip route add 10.218.0.0/16 via 172.27.21.1 table 52; ip rule add lookup 52 priority 5270',
    },
    {
      check: 'mtu',
      detail: 'interfaces in segment rack have different MTUs, 1500: w-7 (eth0); 1400: w-6 (eth0)',
      next: 'set the same MTU on all of them',
      plant: 'ip link set eth0 mtu 1400',
      fix: 'ip link set eth0 mtu 1500',
    },
    {
      check: 'hostname',
      detail: 'w-6 and w-7 have the same hostname, w-7',
      next: 'on one of them: hostnamectl set-hostname NAME',
      plant: 'hostname w-7',
      fix: 'hostname w-6',
    },
    {
      check: 'machine-id',
      detail: 'w-6 and w-7 have the same machine-id, 0123456789abcdef0123456789abcdef: they are clones',
      // Without the reboot: preflight reads what is in the file.
      next: 'rm /etc/machine-id && systemd-machine-id-setup',
      plant: 'echo 0123456789abcdef0123456789abcdef > /etc/machine-id',
    },
    {
      check: 'ssh-host-key',
      detail: 'w-6 and w-7 have the same SSH host key, SHA256:',
      next: 'on one of them: rm /etc/ssh/ssh_host_*_key* && ssh-keygen -A',
      plant: `echo '${hostKey.trim()}' > /etc/ssh/ssh_host_ecdsa_key.pub`,
      // Its other key is what the lab knows it by.
      fix: 'rm /etc/ssh/ssh_host_ecdsa_key.pub',
    },
  ),
  ...on('w-7', {
    ...sendsFrom(
      '172.27.21.127',
      '172.27.21.27',
      '172.27.21.1',
      'what w-7 sends to segment rack comes from 172.27.21.127 on eth0',
    ),
    plant: `${sendsFrom('172.27.21.127', '172.27.21.27', '172.27.21.1', '').plant}
echo 0123456789abcdef0123456789abcdef > /etc/machine-id
echo '${hostKey.trim()}' > /etc/ssh/ssh_host_ecdsa_key.pub`,
  }),
];

/** The interface has another address before its own. */
function sendsFrom(other: string, own: string, gateway: string, detail: string): FaultKind {
  const addresses = (...all: readonly string[]) =>
    `ip addr flush dev eth0; ${all.map((each) => `ip addr add ${each}/24 dev eth0; `).join('')}ip route add default via ${gateway}`;
  return {
    check: 'source-address',
    detail,
    next: 'make that the first address in its network settings, or the only one in the network',
    plant: addresses(other, own),
    fix: addresses(own),
  };
}

/** A unit that starts at boot, and runs. */
function service(name: string, command: string): string {
  return `printf '%s\\n' '[Service]' 'ExecStart=${command}' '[Install]' 'WantedBy=multi-user.target' > /etc/systemd/system/${name}.service
systemctl -q enable --now ${name}`;
}
