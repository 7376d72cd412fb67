import { describe, expect, test } from 'vitest';
import { assumedFacts, type Facts } from '../../src/hosts/facts/facts.js';
import type { Cluster, Endpoint, Role } from '../../src/inventory/cluster.js';
import { compileRoutes } from '../../src/network/routes.js';
import { cni } from '../../src/phases/node/cni.js';
import type { ClusterFacts } from '../../src/preflight/check.js';
import { checks } from '../../src/preflight/index.js';
import { failuresOf, runChecks } from '../../src/preflight/run-checks.js';
import { monitored } from '../phases/monitoring/monitored.js';
import { clusterOf, hostOf } from '../support/cluster.js';
import { contextOf } from '../support/site.js';

const gateway = { to: 'default', via: '192.168.10.254', device: 'eth0' };

/** A machine that is fit to be any host of the cluster. */
const fit: Facts = {
  ...assumedFacts,
  hostname: 'somewhere',
  arch: 'x86_64',
  kernel: '6.1.0',
  features: ['overlay', 'br_netfilter', 'nf_conntrack', 'nf_tables'],
  tools: ['ip', 'nft', 'systemctl', 'sha256sum', 'base64', 'mount', 'modprobe'],
  addresses: ['192.168.10.10/24', '192.168.10.20/24', '192.168.20.20/24', '192.168.10.1/24', '192.168.20.1/24'],
  routes: [gateway],
  machineId: '1',
};

const failed = (
  facts: Partial<Facts>,
  { name = 'controller-00', cluster = clusterOf() } = {},
  ...skipped: string[]
) => {
  const whole = { ...all, cluster, facts: new Map([[name, { ...fit, ...facts }]]) };
  return failuresOf(runChecks(whole, new Set(skipped)));
};

const refusals = (facts: Partial<Facts>, about?: { name?: string; cluster?: Cluster }): readonly string[] =>
  failed(facts, about).map(({ message }) => message);

/** What else the checks read; a cluster that has its keyring. */
const all: ClusterFacts = {
  workflow: 'apply',
  cluster: clusterOf(),
  facts: new Map(),
  keyring: { ca: 'a', missing: [] },
  bundle: ['amd64'],
  from: 0,
  to: 0,
  restores: false,
};

/** What is refused of several machines together, no matter what each is like: host and reason. */
const refusedTogether = (facts: ReadonlyMap<string, Facts>, rest: Partial<ClusterFacts> = {}): readonly string[] =>
  failuresOf(runChecks({ ...all, facts, ...rest }).filter(({ scope }) => scope === 'cluster')).map(
    ({ where, message }) => `${where.host} ${message}`,
  );

const clusterWith = (proxy: Cluster['kubernetes']['proxy']): Cluster =>
  clusterOf({ kubernetes: { version: '1.36.3', controlPlane: 'static-pods', proxy } });

describe('preflight', () => {
  test.each(clusterOf().hosts.map(({ name }) => name))('lets a fit machine be %s', (name) => {
    expect(refusals({}, { name })).toEqual([]);
  });

  test.each<[string, Partial<Facts>, string]>([
    ['root', { uid: 1000 }, 'root: commands run as uid 1000, not as root'],
    ['systemd', { systemd: false }, 'systemd: systemd does not run this machine'],
    ['architecture', { arch: 'armv7l' }, 'architecture: the machine is armv7l'],
    [
      'an architecture that is not told',
      { arch: '' },
      'architecture: cannot tell the architecture of the machine: `uname -m` printed nothing there',
    ],
    [
      'an architecture that the bundle lacks',
      { arch: 'aarch64' },
      'architecture: the bundle has nothing for arm64, which `uname -m` calls aarch64',
    ],
    [
      'address',
      { addresses: ['10.0.0.5/8'] },
      'address: 192.168.10.10 is not an address of this machine (it has 10.0.0.5/8)',
    ],
    [
      'addresses that are not told',
      { addresses: [] },
      'address: cannot tell whether 192.168.10.10 is an address of this machine: ip printed none at all',
    ],
    [
      'cgroup',
      { cgroup: 'v1', controllers: ['cpu', 'pids'] },
      'cgroup: cgroup v1 has only these controllers: cpu, pids',
    ],
    [
      'swap',
      { swaps: ['/dev/sda2', '/dev/zram0'] },
      'swap: what makes swap on /dev/zram0 at every boot is not known to kbs, so it would be there again',
    ],
    [
      'kernel',
      { features: ['overlay', 'nf_conntrack', 'nf_tables'] },
      'kernel-features: kernel 6.1.0 lacks br_netfilter',
    ],
    ['tools', { tools: ['ip', 'nft', 'systemctl', 'base64'] }, 'tools: sha256sum is not installed'],
    [
      'a port',
      { listeners: [{ port: 6443, process: 'haproxy' }] },
      'ports: port 6443, which kube-apiserver needs, is in use by haproxy',
    ],
    [
      'a route into the pod network',
      { routes: [gateway, { to: '10.244.0.0/16', device: 'tun0' }] },
      'network-overlap: network.pods 10.244.0.0/16 overlaps the route to 10.244.0.0/16 on tun0',
    ],
    [
      'a network of virtual machines inside the pod network',
      { routes: [gateway, { to: '10.244.122.0/24', device: 'virbr0' }] },
      'network-overlap: network.pods 10.244.0.0/16 overlaps the route to 10.244.122.0/24 on virbr0',
    ],
    [
      'a route without a device into the pod network',
      { routes: [gateway, { to: '10.244.9.0/24', device: '' }] },
      'network-overlap: network.pods 10.244.0.0/16 overlaps the route to 10.244.9.0/24',
    ],
    [
      'a route that holds the Service network',
      { routes: [{ to: '10.254.0.0/15', device: 'eth1' }] },
      'network-overlap: network.services 10.254.0.0/16 overlaps the route to 10.254.0.0/15 on eth1',
    ],
  ])('refuses for %s', (_, facts, message) => {
    expect(refusals(facts)).toEqual([message]);
  });

  test('refuses a node from which no route leads to Services, unless their addresses are its own', () => {
    const lan = { to: '192.168.10.0/24', device: 'eth0' };
    const [refusal] = failed({ routes: [lan] });
    expect(refusal?.message).toBe(
      'default-route: programs of the host itself cannot reach Services, 10.254.0.0/16: there is no default route, and none of their own',
    );
    expect(refusal?.next).toContain('ip route add 10.254.0.0/16 dev eth0;');
    expect(refusals({ routes: [lan] }, { name: 'edge' })).toEqual([]);
    const features = [...fit.features, 'ip_vs'];
    expect(refusals({ routes: [lan], features }, { cluster: clusterWith('ipvs') })).toEqual([]);
  });

  test('names the command that builds a bundle for all hosts, once for each architecture that it lacks', () => {
    const facts = new Map([
      ['controller-00', fit],
      ['worker-office-00', { ...fit, arch: 'aarch64', machineId: '2' }],
      ['worker-rack-00', { ...fit, arch: 'aarch64', machineId: '3' }],
    ]);
    const lacks = (bundle: ClusterFacts['bundle'], of: ReadonlyMap<string, Facts> = facts) =>
      failuresOf(runChecks({ ...all, facts: of, bundle }, new Set(['address']))).map(({ where, next }) => [
        where.host,
        next,
      ]);
    const make = 'make one for all hosts: kbs bundle create --arch amd64,arm64, or kbs bundle build with the same';
    expect(lacks(['amd64'])).toEqual([['worker-office-00, worker-rack-00', make]]);
    expect(lacks(['arm64'])).toEqual([['controller-00', make]]);
    expect(lacks(['amd64', 'arm64'])).toEqual([]);
    expect(lacks(['arm64'], new Map([...facts].slice(1)))).toEqual([]);
  });

  test.each([
    [
      'a Raspberry Pi',
      'Raspberry Pi 4 Model B Rev 1.5',
      ['cpu', 'pids'],
      'cgroup_enable=memory to the one line of /boot',
    ],
    ['another machine', '', ['cpu', 'pids'], 'see cgroup_enable and cgroup_disable on the kernel command line'],
    [
      'a Pi that lacks more',
      'Raspberry Pi 5',
      ['cpu'],
      'see cgroup_enable and cgroup_disable on the kernel command line',
    ],
  ])('says how %s gets the memory controller', (_, model, controllers, next) => {
    expect(failed({ cgroup: 'v2', model, controllers }).map((each) => each.next)).toEqual([
      expect.stringContaining(next),
    ]);
  });

  test('says nothing of a kernel with nf_tables built in where nft, which alone can tell, is still to be installed', () => {
    const features = ['overlay', 'br_netfilter', 'nf_conntrack'];
    const tools = fit.tools.filter((tool) => tool !== 'nft');
    expect(refusals({ features, tools })).toEqual([]);
    expect(refusals({ features })).toEqual(['kernel-features: kernel 6.1.0 lacks nf_tables']);
  });

  test('takes the route to Services that it advises, and not a network that has their addresses', () => {
    const routes = [{ to: '10.254.0.0/16', device: 'eth0' }];
    expect(refusals({ routes })).toEqual([]);
    expect(refusals({ routes, addresses: [...fit.addresses, '10.254.0.7/16'] })).toEqual([
      'network-overlap: network.services 10.254.0.0/16 overlaps the route to 10.254.0.0/16 on eth0',
    ]);
  });

  test("refuses a file that containerd would take before kbs's own for the pods' network, on a node", () => {
    const own = cni
      .resources(hostOf({ name: 'worker-00', address: '192.168.10.20', segment: 'office' }), contextOf(clusterOf()))
      .flatMap((resource) => (resource.kind === 'file' ? [resource.path.split('/').at(-1) ?? ''] : []));
    expect(own).toContain('10-kbs.conflist');
    const cniConfigs = ['05-cilium.conflist', '10-calico.conflist', ...own, '87-podman-bridge.conflist'];
    expect(refusals({ cniConfigs })).toEqual(
      ['05-cilium.conflist', '10-calico.conflist'].map(
        (name) =>
          `foreign-cni: /etc/cni/net.d/${name} comes before 10-kbs.conflist, so containerd would take it for the pods' network`,
      ),
    );
    expect(refusals({ cniConfigs }, { name: 'edge' })).toEqual([]);
  });

  test('refuses a bridge of another cluster, which the CNI plugin would not take, on a node', () => {
    const bridge = (address: string): Partial<Facts> => ({
      network: {
        rules: [],
        paths: [],
        hostsLines: [],
        resolved: [],
        connections: [],
        links: [{ name: 'cni0', mtu: 1500, addresses: [address], isClosed: false }],
      },
    });
    expect(refusals(bridge('10.244.0.1/24'))).toEqual([]);
    expect(refusals(bridge('10.42.0.1/24'))).toEqual([
      'foreign-cni: the bridge cni0 has the address 10.42.0.1/24 of another cluster, and pods of this host are in 10.244.0.0/24: none would start',
    ]);
    expect(refusals(bridge('10.42.0.1/24'), { name: 'edge' })).toEqual([]);
  });

  test('lets swap stay on where the inventory says so, with cgroup v2', () => {
    const hosts = clusterOf().hosts.map((host) => ({ ...host, swap: 'LimitedSwap' as const }));
    const cluster = clusterOf({ hosts });
    const swaps = ['/dev/zram0', '/dev/sda2'];
    expect(refusals({ swaps }, { cluster })).toEqual([]);
    expect(refusals({ swaps, cgroup: 'v1' }, { cluster })).toEqual([
      'swap: the inventory leaves swap on, and with cgroup v1 a kubelet cannot keep pods from it',
    ]);
  });

  test('warns of interfaces of other network plugins, on a node', () => {
    const warnings = (names: readonly string[], name = 'controller-00') => {
      const links = names.map((each) => ({ name: each, mtu: 1500, addresses: [], isClosed: false }));
      const facts = new Map([
        [name, { ...fit, network: { rules: [], paths: [], hostsLines: [], resolved: [], connections: [], links } }],
      ]);
      return runChecks({ ...all, facts }).flatMap(({ warning, detail }) => (warning ? [detail] : []));
    };
    const rest = ': interfaces of another network plugin, whose rules may take or drop packets of pods';
    expect(warnings(['lo', 'eth0', 'cni0', 'docker0', 'veth1', 'tunl0'])).toEqual([]);
    expect(warnings(['eth0', 'flannel.1'])).toEqual([`flannel.1${rest}`]);
    expect(warnings(['cali1', 'cali2', 'cali3', 'vxlan.calico'])).toEqual([`cali1, cali2, cali3 and 1 more${rest}`]);
    expect(warnings(['cilium_host'], 'edge')).toEqual([]);
  });

  test("refuses a drop-in that would start another program in a unit of the host's", () => {
    const path = '/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf';
    const others = ['docker', 'etcd', 'haproxy'].map((name) => `/etc/systemd/system/${name}.service.d/x.conf`);
    expect(refusals({ commandDropIns: [...others, path] })).toEqual([
      `foreign-unit: ${path} sets ExecStart, so kubelet.service would not run what kbs installs`,
    ]);
    expect(refusals({ commandDropIns: [path] }, { name: 'edge' })).toEqual([]);
    const services = clusterOf({ kubernetes: { version: '1.36.3', controlPlane: 'systemd', proxy: 'nftables' } });
    expect(refusals({ commandDropIns: others }, { cluster: services })).toHaveLength(1);
  });

  test('names drop-ins of the owner on a node, and lets them be', () => {
    const own = '/etc/systemd/system/kubelet.service.d/20-own.conf';
    const command = '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf';
    const warnings = (name: string) =>
      runChecks({
        ...all,
        facts: new Map([[name, { ...fit, commandDropIns: [command], dropIns: [command, own] }]]),
      }).flatMap((result) => (result.name === 'drop-in' && result.warning ? [result.detail] : []));
    expect(warnings('controller-00')).toEqual([`settings that kbs leaves as they are: ${own}`]);
    expect(warnings('edge')).toEqual([]);
  });

  test('refuses ipvs where the kernel lacks it, and not where it has it', () => {
    expect(refusals({}, { cluster: clusterWith('ipvs') })).toEqual(['kernel-features: kernel 6.1.0 lacks ip_vs']);
    expect(refusals({ features: [...fit.features, 'ip_vs'] }, { cluster: clusterWith('ipvs') })).toEqual([]);
  });

  test('tells all that is wrong at once', () => {
    expect(refusals({ uid: 1, systemd: false, tools: [] }).length).toBeGreaterThan(4);
  });

  test("takes a host that is up already: its own ports, routes and the bridge are kbs's", () => {
    const cluster = clusterOf();
    const own = (compileRoutes(cluster)['controller-00'] ?? []).map(({ to, via }) => ({ to, via, device: 'eth0' }));
    const facts: Partial<Facts> = {
      listeners: [
        { port: 6443, process: 'kube-apiserver' },
        { port: 10257, process: 'kube-controller' },
        { port: 10259, process: 'kube-scheduler' },
        { port: 2379, process: 'etcd' },
        { port: 10250, process: 'kubelet' },
      ],
      routes: [...own, { to: '10.244.0.0/24', device: 'cni0' }, { to: 'default', via: '192.168.10.1', device: 'eth0' }],
    };
    expect(refusals(facts)).toEqual([]);
  });

  test('keeps the ports free of what answers for addresses of Services, on nodes', () => {
    const addon = { name: 'load-balancer-services', values: {}, adopt: false, timeoutSeconds: 300 } as const;
    const announcing = clusterOf({ addons: [{ ...addon, is: addon.name, pools: [] }] });
    const listeners = [
      { port: 7472, process: 'metallb-speaker' },
      { port: 7946, process: 'serf' },
    ];
    expect(refusals({ listeners }, { cluster: announcing })).toEqual([
      'ports: port 7946, which metallb-speaker needs, is in use by serf',
    ]);
    expect(refusals({ listeners })).toEqual([]);
  });

  test('keeps the ports free by which Prometheus reads the metrics of a host', () => {
    const listeners = [
      { port: 9444, process: 'haproxy' },
      { port: 9445, process: 'java' },
    ];
    expect(refusals({ listeners }, { cluster: monitored() })).toEqual([
      'ports: port 9445, which node-exporter needs, is in use by java',
    ]);
    expect(refusals({ listeners })).toEqual([]);
  });

  describe('of a load balancer', () => {
    const balanced = (roles: readonly Role[], endpoint: Partial<Endpoint> = { vip: '192.168.10.5' }): Cluster =>
      clusterOf({
        endpoint: { host: '192.168.10.5', port: 6443, ...endpoint },
        hosts: [hostOf({ name: 'lb-00', address: '192.168.10.10', segment: 'office', roles })],
      });

    const web = { port: 443, to: ['workers'], targetPort: 30443, proxyProtocol: false };

    test.each<[string, Cluster, Partial<Facts>, readonly string[]]>([
      ['a fit one', balanced(['load-balancer']), {}, []],
      [
        'a port that another program has',
        balanced(['load-balancer']),
        { listeners: [{ port: 6443, process: 'nginx' }] },
        ['ports: port 6443, which haproxy needs, is in use by nginx'],
      ],
      [
        'the port of its health',
        balanced(['load-balancer'], { port: 443 }),
        { listeners: [{ port: 8404, process: 'java' }] },
        ['ports: port 8404, which haproxy needs, is in use by java'],
      ],
      [
        'its own haproxy',
        balanced(['load-balancer']),
        { listeners: [6443, 8404].map((port) => ({ port, process: 'haproxy' })) },
        [],
      ],
      [
        'a web server on a port that is to be forwarded',
        { ...balanced(['load-balancer']), forwards: [web] },
        { listeners: [{ port: 443, process: 'nginx' }] },
        ['ports: port 443, which haproxy forwards to workers:30443, is in use by nginx'],
      ],
      [
        'the port of a forward where haproxy has it, or another host',
        { ...balanced(['load-balancer']), forwards: [web] },
        { listeners: [443, 30443].map((port) => ({ port, process: port === 443 ? 'haproxy' : 'nginx' })) },
        [],
      ],
      [
        'an API server where haproxy has the same port',
        balanced(['control-plane', 'load-balancer']),
        { listeners: ['haproxy', 'kube-apiserver'].map((process) => ({ port: 6443, process })) },
        [],
      ],
      [
        'an API server that has the port of haproxy alone',
        balanced(['load-balancer']),
        { listeners: [{ port: 6443, process: 'kube-apiserver' }] },
        ['ports: port 6443, which haproxy needs, is in use by kube-apiserver'],
      ],
      [
        'no network that holds the virtual address',
        balanced(['load-balancer']),
        { addresses: ['192.168.10.10/32', '192.168.10.5/32', '10.0.0.3/8'] },
        [
          'vip: no interface is in the network of 192.168.10.5 (the machine has 192.168.10.10/32, 192.168.10.5/32, 10.0.0.3/8)',
        ],
      ],
      [
        'a load balancer that kbs does not manage',
        balanced(['worker'], { vip: '172.16.0.1', external: true }),
        { listeners: [{ port: 6443, process: 'nginx' }] },
        [],
      ],
    ])('sees %s', (_, cluster, facts, messages) => {
      expect(refusals(facts, { name: 'lb-00', cluster })).toEqual(messages);
    });

    test('is told the prefix that its address lacks for the virtual one', () => {
      const next = (addresses: readonly string[]) =>
        failed({ addresses }, { name: 'lb-00', cluster: balanced(['load-balancer']) }).map((failure) => failure.next);
      expect(next(['192.168.10.10/32'])).toEqual([
        expect.stringContaining(
          'give its address that prefix in its network settings: ip addr add 192.168.10.10/24 dev',
        ),
      ]);
    });
  });

  test('skips a check by its name, and says what it has checked', () => {
    expect(failed({ uid: 1 }, {}, 'root')).toEqual([]);
    const facts = new Map([['controller-00', { ...fit, uid: 1 }]]);
    const results = runChecks({ ...all, facts }, new Set(['swap']));
    expect(results.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(['root']);
    expect(results.map(({ name }) => name)).toEqual(
      checks.flatMap(({ name, scope }) => (scope === 'probe' || name === 'swap' ? [] : [name])),
    );
    expect(results.find(({ name }) => name === 'systemd')).toEqual({
      name: 'systemd',
      scope: 'host',
      hosts: ['controller-00'],
      ok: true,
      detail: 'systemd runs the machine',
    });
  });

  test('sees machines that were cloned, and machines without an id are no clones', () => {
    const facts = new Map([
      ['a', { ...fit, machineId: 'x' }],
      ['b', { ...fit, machineId: 'y' }],
      ['c', { ...fit, machineId: 'x' }],
      ['d', { ...fit, machineId: '' }],
      ['e', { ...fit, machineId: '' }],
    ]);
    expect(refusedTogether(facts)).toEqual(['a, c machine-id: a and c have the same machine-id, x: they are clones']);
  });
});

test('a clock is off by more than the minute before the question or after the answer', () => {
  const at = (clock: number) => ({ ...fit, machineId: '', clock });
  const facts = new Map([
    ['slow', at(939)],
    ['just', at(940)],
    ['asked-late', at(1100)],
    ['ahead', at(1180)],
    ['fast', at(1181)],
  ]);
  expect(refusedTogether(facts, { from: 1000, to: 1120 })).toEqual([
    'slow clock: the clock is 61 s behind that of this machine, and certificates go by it',
    'fast clock: the clock is 61 s ahead of that of this machine, and certificates go by it',
  ]);
});

describe('etcd that is installed, and has no data on any control plane', () => {
  const cluster = clusterOf({
    hosts: ['a', 'b'].map((name) =>
      hostOf({ name, address: '192.168.10.10', segment: 'office', roles: ['control-plane'] }),
    ),
  });
  const lost: Facts = { ...fit, machineId: '', etcdMember: false, etcdInstalled: true };
  const bare = { ...lost, etcdInstalled: false };
  const refused = (seen: Readonly<Record<string, Facts>>, restores = false) =>
    refusedTogether(new Map(Object.entries(seen)), { cluster, restores });

  test('is not bootstrapped again', () => {
    const what = 'etcd is installed, and its data are gone from every control plane: it would begin with nothing';
    expect(refused({ a: bare, b: lost })).toEqual([`b etcd-data: ${what}`]);
  });

  test.each([
    ['a first start', { a: bare, b: bare }, false],
    ['a restore', { a: lost, b: lost }, true],
    ['a member whose data another one has', { a: lost, b: { ...lost, etcdMember: true } }, false],
    ['a member beside one that was not observed', { a: lost }, false],
  ])('is another thing than %s', (_, seen, restores) => {
    expect(refused(seen, restores)).toEqual([]);
  });
});

describe('DNS', () => {
  const base = clusterOf();
  const dns = hostOf({ name: 'dns-00', address: '192.168.10.10', segment: 'office', roles: ['dns'] });
  const cluster = clusterOf({ zone: 'lan.internal', hosts: [dns, ...base.hosts], hostsUseDns: true });
  const at = (name: string, facts: Partial<Facts>) => refusals(facts, { name, cluster });

  test.each([
    ['0.0.0.0', 'dnsmasq'],
    ['*', 'named'],
    ['[::]', 'unbound'],
    ['192.168.10.10', 'dnsmasq'],
    ['0.0.0.0', ''],
  ])('port 53 on %s held by %j is refused on a DNS host, and nowhere else', (address, process) => {
    const nameServices = [{ address, process }];
    expect(at('dns-00', { nameServices })).toEqual([
      `dns-port: port 53, which the DNS server needs, is in use by ${process || 'another process'} on ${address}`,
    ]);
    expect(at('controller-00', { nameServices })).toEqual([]);
  });

  test('a port for health or metrics that another process has is refused on a DNS host', () => {
    const listeners = [
      { port: 8053, process: 'java' },
      { port: 9153, process: 'coredns' },
    ];
    expect(at('dns-00', { listeners })).toEqual(['dns-port: port 8053, which the DNS server needs, is in use by java']);
    expect(at('controller-00', { listeners })).toEqual([]);
  });

  test.each([
    ['127.0.0.53', 'systemd-resolve'],
    ['127.0.0.1', 'dnsmasq'],
    ['192.168.122.1', 'dnsmasq'],
    ['192.168.10.10', 'coredns'],
  ])('port 53 on %s held by %s is no conflict', (address, process) => {
    expect(at('dns-00', { nameServices: [{ address, process }] })).toEqual([]);
  });

  test.each([
    ['resolvconf', 'resolver: /etc/resolv.conf is written by resolvconf, which kbs does not set up'],
    ['a link to /opt/x', 'resolver: /etc/resolv.conf is a link to /opt/x, which kbs does not set up'],
  ])('%s is refused where hosts are to ask the DNS hosts', (resolver, message) => {
    expect(at('controller-00', { resolver })).toEqual([message]);
    expect(refusals({ resolver }, { cluster: { ...cluster, hostsUseDns: false } })).toEqual([]);
    expect(refusals({ resolver }, { cluster: { ...cluster, upstreams: ['192.168.10.10'] } })).toEqual([]);
  });

  describe('a resolver that pods can ask', () => {
    const asked =
      (hostOnlyNameservers: readonly string[], nameservers: readonly string[] = [], upstreams: string[] = []) =>
      (name: string) =>
        refusals({ hostOnlyNameservers, nameservers }, { name, cluster: clusterOf({ upstreams }) });
    const says = (servers: string) => [
      `upstream-resolver: pods can ask no resolver of /etc/resolv.conf: ${servers} for the host alone`,
    ];

    test.each<[string, (name: string) => readonly string[], readonly string[]]>([
      ['is not on loopback', asked(['127.0.0.1']), says('127.0.0.1 is')],
      ['is not one of IPv6', asked(['::1', 'fd00::53'], ['fd00::53']), says('::1, fd00::53 are')],
      ['may stand beside others', asked(['127.0.0.1'], ['10.0.0.1']), []],
      ['may be named by the inventory', asked(['127.0.0.1'], [], ['10.0.0.1']), []],
      ['need not be there where a host has no resolver', asked([]), []],
    ])('%s', (_, on, expected) => {
      expect(on('worker-office-00')).toEqual(expected);
      expect(on('edge')).toEqual([]);
    });

    test.each<[string, Partial<Facts>, readonly string[]]>([
      [
        'is asked for where a DNS host has none but on loopback',
        { hostOnlyNameservers: ['127.0.0.1'], nameservers: ['192.168.10.10'] },
        [
          'upstream-resolver: the DNS server of the LAN can ask no resolver of /etc/resolv.conf: 127.0.0.1 is for the host alone',
        ],
      ],
      ['of IPv6 is one that a DNS host can ask', { hostOnlyNameservers: ['fd00::53'], nameservers: ['fd00::53'] }, []],
    ])('%s', (_, facts, expected) => {
      expect(at('dns-00', facts)).toEqual(expected);
    });
  });

  test.each(['file', 'resolved', 'NetworkManager'])('%s is set up', (resolver) => {
    expect(at('controller-00', { resolver })).toEqual([]);
  });
});

test('each check is in the table once, with a clause that says what must be so and one that says what to do', () => {
  const rows = checks.map(({ name, scope }) => `${name} ${scope}`);
  expect(new Set(rows).size).toBe(rows.length);
  for (const { name, summary, fix } of checks) {
    for (const text of [summary, fix]) expect([name, text]).toEqual([name, expect.stringMatching(/^[^A-Z].*[^.]$/)]);
  }
});
