import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { nthAddress } from '../../src/inventory/addresses.js';
import type { Cluster, ClusterHost, SshSettings } from '../../src/inventory/cluster.js';
import { derive, type SshOverlay } from '../../src/inventory/derive.js';
import type { Inventory } from '../../src/inventory/schema/schema.js';
import { planPods } from '../../src/network/pod-plan.js';
import { compileRoutes } from '../../src/network/routes.js';
import { inventoryOf, plainInventory } from './samples.js';

const basePaths = { directory: '/srv/clusters', home: '/home/ops', keys: ['/home/ops/.ssh/id_ed25519'] };

const derived = (inventory: Inventory, overlay?: SshOverlay): Cluster =>
  derive(inventory, { planPods, compileRoutes }, basePaths, overlay);

const hostNamed = (cluster: Cluster, name: string): ClusterHost => {
  const found = cluster.hosts.find((host) => host.name === name);
  if (found === undefined) throw new Error(`no host ${name}`);
  return found;
};

/** The one worker of an inventory, with these fields. */
const worker = (fields: object, overrides: object = {}): ClusterHost => {
  const { hosts } = plainInventory();
  const changed = { ...Object(hosts), 'worker-00': { address: '192.168.20.20', roles: ['worker'], ...fields } };
  return hostNamed(derived(inventoryOf({ hosts: changed, ...overrides })), 'worker-00');
};

describe('the cluster', () => {
  const cluster = derived(inventoryOf());

  it('is frozen deeply, and freezes nothing of its caller', () => {
    expect(mutableIn(cluster)).toEqual([]);
    expect(Object.isFrozen(basePaths.keys)).toBe(false);
  });

  it('has its segments, with their part of the pod network', () => {
    expect(cluster.network.segments).toEqual([
      { name: 'office', cidr: '192.168.10.0/24', gateway: '192.168.10.1', podCidr: '10.244.0.0/18', capacity: 64 },
      {
        name: 'rack',
        cidr: '192.168.20.0/24',
        gateway: '192.168.20.1',
        mtu: 9000,
        podCidr: '10.244.64.0/18',
        capacity: 64,
      },
    ]);
    expect(cluster.hosts.map(({ name, segment }) => `${name} ${segment}`)).toEqual([
      'controller-00 office',
      'worker-00 rack',
      'edge office',
    ]);
  });

  it('has the routes of every host', () => {
    expect(cluster.routes).toEqual(compileRoutes(cluster));
    expect(Object.keys(cluster.routes)).toEqual(cluster.hosts.map(({ name }) => name));
  });

  it('knows the well-known addresses of Services', () => {
    expect(cluster.network).toMatchObject({ apiServiceAddress: '10.254.0.1', dnsServiceAddress: '10.254.0.10' });
  });

  it('gives pods to nodes only', () => {
    expect(cluster.hosts.map(({ name, podCidr }) => `${name} ${podCidr}`)).toEqual([
      'controller-00 10.244.10.0/24',
      'worker-00 10.244.84.0/24',
      'edge undefined',
    ]);
  });

  it('fills in what the inventory leaves to kbs', () => {
    const { segments } = inventoryOf().network;
    const bare = derived(inventoryOf({ network: { segments } }));
    expect(bare).toMatchObject({
      domain: 'cluster.local',
      kubernetes: { controlPlane: 'static-pods', proxy: 'nftables' },
      network: { pods: '10.244.0.0/16', services: '10.96.0.0/16' },
      upstreams: [],
      artifacts: { source: 'auto' },
    });
    expect(bare).not.toHaveProperty('zone');
  });

  it('carries zone and resolvers, and a bundle that starts at the folder of the inventory', () => {
    const dns = { zone: 'hybrid.internal', upstreams: ['192.168.10.1'] };
    const artifacts = { source: 'bundle', bundle: '../bundle.tar' };
    expect(derived(inventoryOf({ dns, artifacts }))).toMatchObject({
      zone: 'hybrid.internal',
      upstreams: ['192.168.10.1'],
      artifacts: { source: 'bundle', bundle: '/srv/bundle.tar' },
    });
  });
});

describe('the endpoint', () => {
  const hosts = {
    ...Object(plainInventory().hosts),
    'lb-00': { address: '192.168.10.3', roles: ['load-balancer'] },
  };
  test.each([
    ['the first control plane', {}, {}, { host: '192.168.10.10', address: '192.168.10.10', port: 6443 }],
    [
      'further names',
      {},
      { extraNames: ['api.example.com', '203.0.113.5'] },
      {
        host: '192.168.10.10',
        address: '192.168.10.10',
        port: 6443,
        extraNames: ['api.example.com', '203.0.113.5'],
      },
    ],
    ['a name', {}, { name: 'api.lan' }, { host: 'api.lan', name: 'api.lan', address: '192.168.10.10', port: 6443 }],
    [
      'an external one',
      {},
      { name: 'api.lan', external: true },
      { host: 'api.lan', name: 'api.lan', external: true, port: 6443 },
    ],
    [
      'the one load balancer',
      { hosts },
      { name: 'api.lan' },
      { host: 'api.lan', name: 'api.lan', address: '192.168.10.3', port: 6443 },
    ],
    [
      'a virtual address',
      { hosts },
      { vip: '192.168.10.5', port: 8443 },
      { host: '192.168.10.5', vip: '192.168.10.5', address: '192.168.10.5', port: 8443 },
    ],
    [
      'a name before a virtual address',
      { hosts },
      { name: 'api.lan', vip: '192.168.10.5' },
      { host: 'api.lan', name: 'api.lan', vip: '192.168.10.5', address: '192.168.10.5', port: 6443 },
    ],
  ])('is %s', (_, others, endpoint, expected) => {
    expect(derived(inventoryOf({ ...others, endpoint })).endpoint).toEqual(expected);
  });
});

describe('labels and taints', () => {
  it('a node has its segment as its zone, and the labels of the inventory', () => {
    expect(worker({ labels: { tier: 'training' } }).labels).toEqual({
      'topology.kubernetes.io/zone': 'rack',
      'node-role.kubernetes.io/worker': '',
      tier: 'training',
    });
    expect(worker({ labels: { 'topology.kubernetes.io/zone': 'cellar' } }).labels).toMatchObject({
      'topology.kubernetes.io/zone': 'cellar',
    });
  });

  it('a router is no node and carries none', () => {
    expect(hostNamed(derived(inventoryOf()), 'edge')).toMatchObject({ labels: {}, taints: [] });
  });

  it('a control plane keeps ordinary pods away, unless it is a worker too', () => {
    const role = 'node-role.kubernetes.io/control-plane';
    const { labels, taints } = hostNamed(derived(inventoryOf()), 'controller-00');
    expect({ labels, taints }).toEqual({
      labels: { 'topology.kubernetes.io/zone': 'office', [role]: '' },
      taints: [`${role}:NoSchedule`],
    });
    const hosts = { one: { address: '192.168.10.10', roles: ['control-plane', 'worker'] } };
    const both = hostNamed(derived(inventoryOf({ hosts })), 'one');
    expect(both.labels).toMatchObject({ [role]: '', 'node-role.kubernetes.io/worker': '' });
    expect(both.taints).toEqual([]);
  });

  it("a host's own taints come along", () => {
    expect(worker({ gpu: 'nvidia', taints: ['nvidia.com/gpu=present:NoSchedule'] })).toMatchObject({
      gpu: 'nvidia',
      taints: ['nvidia.com/gpu=present:NoSchedule'],
    });
  });
});

describe('GPUs', () => {
  it.each([
    [undefined, {}],
    ['none', { ignoresGpus: true }],
    [{ vendor: 'none' }, { ignoresGpus: true }],
    ['amd', { gpu: 'amd' }],
    [
      { vendor: 'amd', count: 8 },
      { gpu: 'amd', gpuCount: 8 },
    ],
    ['nvidia', { gpu: 'nvidia', nvidia: { driver: 'host' } }],
    [
      { vendor: 'nvidia', driver: 'distribution', timeSlicing: 4, mig: 'single' },
      { gpu: 'nvidia', nvidia: { driver: 'distribution', timeSlicing: 4, mig: 'single' } },
    ],
  ])('of an inventory that says %j are %j', (gpu, expected) => {
    const { gpu: vendor, gpuCount, nvidia, ignoresGpus } = worker(gpu === undefined ? {} : { gpu });
    expect({ gpu: vendor, gpuCount, nvidia, ignoresGpus }).toEqual({
      gpu: undefined,
      gpuCount: undefined,
      nvidia: undefined,
      ignoresGpus: undefined,
      ...expected,
    });
  });
});

describe('how to log in', () => {
  const plain: SshSettings = {
    transport: 'ssh',
    address: '192.168.20.20',
    port: 22,
    user: 'root',
    become: 'sudo',
    keys: ['/home/ops/.ssh/id_ed25519'],
    knownHosts: '/home/ops/.ssh/known_hosts',
  };

  test.each([
    ['nothing said', {}, undefined, {}],
    ['another user', { user: 'ops' }, undefined, { user: 'ops' }],
    ['sudo is said to be needless', { user: 'ops', become: 'none' }, undefined, { user: 'ops', become: 'none' }],
    [
      'a host differs',
      { user: 'ops', port: 2222 },
      { port: 22, key: 'keys/own' },
      { user: 'ops', keys: ['/srv/clusters/keys/own'] },
    ],
    ['root again', { user: 'ops', become: 'sudo' }, { user: 'root' }, {}],
    [
      'keys as a list, from home or from the folder',
      { key: ['~/a', 'b', '/c'] },
      undefined,
      { keys: ['/home/ops/a', '/srv/clusters/b', '/c'] },
    ],
    ['known hosts of its own', { knownHosts: 'known' }, undefined, { knownHosts: '/srv/clusters/known' }],
    ['this very machine', {}, { transport: 'local' }, { transport: 'local' }],
  ])('%s', (_, common, own, expected) => {
    const host = worker(own === undefined ? {} : { ssh: own }, { ssh: common });
    const { open, ...ssh } = host.ssh;
    expect(ssh).toEqual({ ...plain, ...expected });
  });

  const all = ['user', 'port', 'key', 'knownHosts', 'jump', 'timeout'];
  test.each([
    ['all that is not said', {}, undefined, all],
    [
      'but for what is said of all hosts or of this one',
      { user: 'ops', timeout: 5 },
      { port: 22, become: 'doas' },
      ['key', 'knownHosts', 'jump'],
    ],
    ['nothing where that is to be ignored', { config: 'none' }, undefined, undefined],
    ['nothing where no SSH is used', {}, { transport: 'local' }, undefined],
  ])("is left to ssh's own configuration: %s", (_, common, own, expected) => {
    const { open } = worker(own === undefined ? {} : { ssh: own }, { ssh: common }).ssh;
    expect(open).toEqual(expected);
  });

  it('a lab lays its key, known hosts and addresses over all of it, and nothing else', () => {
    const overlay = { keys: ['/lab/key'], knownHosts: '/lab/known', addresses: { 'worker-00': '10.9.9.9' } };
    const { ssh, address } = hostNamed(
      derived(inventoryOf({ ssh: { key: 'own', user: 'ops' } }), overlay),
      'worker-00',
    );
    expect(address).toBe('192.168.20.20');
    expect(ssh).toEqual({
      ...plain,
      user: 'ops',
      become: 'sudo',
      address: '10.9.9.9',
      keys: ['/lab/key'],
      knownHosts: '/lab/known',
    });
  });
});

describe('laws', () => {
  const segments = fc.integer({ min: 1, max: 6 });
  const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 5 * 200 }), { minLength: 1, maxLength: 40 });

  /** A control plane in the first segment, and workers anywhere. */
  const made = fc.tuple(segments, numbers).map(([count, chosen]) => {
    const names = Array.from({ length: count }, (_, n) => `s${n}`);
    const cidrs = names.map((name, n) => [name, { cidr: `172.16.${n}.0/24`, gateway: `172.16.${n}.1` }] as const);
    const workers = [...new Set(chosen.map((number) => `${number % count} ${Math.floor(number / 5) + 20}`))].map(
      (key) => {
        const [n = '0', at = '20'] = key.split(' ');
        return [`w-${n}-${at}`, { address: nthAddress(`172.16.${n}.0/24`, Number(at)), roles: ['worker'] }] as const;
      },
    );
    const hosts = [['first', { address: '172.16.0.10', roles: ['control-plane'] }] as const, ...workers];
    return { network: { segments: Object.fromEntries(cidrs) }, hosts };
  });

  it('the order of hosts decides the order of the list and nothing else', () =>
    fc.assert(
      fc.property(made, fc.infiniteStream(fc.nat()), ({ network, hosts }, lots) => {
        const shuffled = hosts.map((host) => ({ host, lot: lots.next().value })).toSorted((a, b) => a.lot - b.lot);
        const one = derived(inventoryOf({ network, hosts: Object.fromEntries(hosts) }));
        const other = derived(inventoryOf({ network, hosts: Object.fromEntries(shuffled.map(({ host }) => host)) }));
        expect({ ...other, hosts: sorted(other) }).toEqual({ ...one, hosts: sorted(one) });
      }),
      { numRuns: 50 },
    ));

  it('what the checks accept can be derived, and no two hosts share pods', () =>
    fc.assert(
      fc.property(made, ({ network, hosts }) => {
        const cluster = derived(inventoryOf({ network, hosts: Object.fromEntries(hosts) }));
        const cidrs = cluster.hosts.map(({ podCidr }) => podCidr);
        expect(new Set(cidrs).size).toBe(hosts.length);
      }),
      { numRuns: 50 },
    ));

  const sorted = (cluster: Cluster): readonly ClusterHost[] =>
    cluster.hosts.toSorted((a, b) => (a.name < b.name ? -1 : 1));
});

/** The paths of everything in a value that could still be changed. */
const mutableIn = (value: unknown, path = ''): readonly string[] =>
  typeof value !== 'object' || value === null
    ? []
    : [
        ...(Object.isFrozen(value) ? [] : [path]),
        ...Object.entries(value).flatMap(([key, member]) => mutableIn(member, `${path}/${key}`)),
      ];

describe('the way to a host', () => {
  const via = (jump: unknown, own?: unknown, overlay?: SshOverlay) =>
    hostNamed(
      derived(
        inventoryOf({
          ssh: { key: 'k', user: 'ops', jump },
          hosts: {
            'worker-00': { address: '192.168.20.20', roles: ['worker'], ...(own === undefined ? {} : { ssh: own }) },
            'gate-00': { address: '192.168.20.9', roles: ['control-plane'], ssh: { user: 'admin', port: 2222 } },
          },
        }),
        overlay,
      ),
      'worker-00',
    ).ssh.jump?.map(({ user, address, port, keys }) => `${user}@${address}:${port} ${keys.join()}`);

  it.each([
    ['no jump host', undefined, undefined],
    ['none said', 'none', undefined],
    ['a name alone', 'bastion', ['ops@bastion:22 /srv/clusters/k']],
    ['all in a text', 'root@198.51.100.7:2200', ['root@198.51.100.7:2200 /srv/clusters/k']],
    ['a user with an @', 'me@corp@bastion', ['me@corp@bastion:22 /srv/clusters/k']],
    ['a map', { host: 'bastion', user: 'hop', port: 2200, key: '~/hop' }, ['hop@bastion:2200 /home/ops/hop']],
    ['several', ['a', { host: 'b', user: 'x' }], ['ops@a:22 /srv/clusters/k', 'x@b:22 /srv/clusters/k']],
    ['a host of the inventory', 'gate-00', ['admin@192.168.20.9:2222 /srv/clusters/k']],
    ['itself', 'worker-00', undefined],
    ['another one before itself', ['a', '192.168.20.20'], ['ops@a:22 /srv/clusters/k']],
  ])('%s', (_, jump, expected) => {
    expect(via(jump)).toEqual(expected);
  });

  it('is what the host itself says, where it says something', () => {
    expect(via('bastion', { jump: 'none' })).toBeUndefined();
    expect(via('bastion', { jump: 'other' })).toEqual(['ops@other:22 /srv/clusters/k']);
    expect(via('bastion', { transport: 'local' })).toBeUndefined();
  });

  it('leads in a lab only through hosts of the lab', () => {
    const lab = { keys: ['/lab/key'], knownHosts: '/lab/known', addresses: { 'gate-00': '10.9.9.9' } };
    expect(via('bastion', undefined, lab)).toBeUndefined();
    expect(via(['bastion', 'gate-00'], undefined, lab)).toEqual(['admin@10.9.9.9:2222 /lab/key']);
  });
});
