import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { Cluster, ClusterHost, Endpoint, ForwardRule, Role } from '../../../src/inventory/cluster.js';
import { loadBalancers } from '../../../src/inventory/cluster.js';
import { deviceTo, loadBalancer, routerIdOf } from '../../../src/phases/load-balancer/load-balancer.js';
import type { FileResource, Resource, UnitResource } from '../../../src/resources/resource.js';
import { reveal } from '../../../src/secret.js';
import { createWorld, type World } from '../../resources/overlay-host.js';
import { apply } from '../../resources/reconcile.js';
import { clusterOf, hostOf } from '../../support/cluster.js';
import { lacks } from '../../support/needs.js';
import { authority } from './balancers.js';

const vip = '192.168.10.250';

const balanced = (endpoint: Partial<Endpoint>, ...roles: readonly (readonly Role[])[]): Cluster =>
  clusterOf({
    endpoint: { host: vip, port: 6443, ...endpoint },
    hosts: roles.map((each, n) =>
      hostOf({ name: `host-0${n}`, address: `192.168.10.${n + 3}`, segment: 'office', roles: each }),
    ),
  });

const [lb, cp, both] = [['load-balancer'], ['control-plane'], ['control-plane', 'load-balancer']] as const;

describe('the interface of the virtual address', () => {
  const on = (device: string, to = '192.168.10.0/24') => ({ to, device });
  const links = (named: Readonly<Record<string, string>>) => ({
    rules: [],
    paths: [],
    hostsLines: [],
    resolved: [],
    connections: [],
    links: Object.entries(named).map(([name, address]) => ({ name, mtu: 1500, addresses: [address], isClosed: false })),
  });

  test.each([
    ['eth0', 'nothing is known', { routes: [] }],
    ['eth0.100', 'a VLAN has the network', { routes: [on('eth0', '10.0.0.0/8'), on('eth0.100')] }],
    ['eth1', 'it has the narrower network', { routes: [on('eth0', '192.168.0.0/16'), on('eth1')] }],
    [
      'eth1',
      'of two in the network it has the address of the host',
      {
        routes: [on('eth0'), on('eth1')],
        network: links({ eth0: '192.168.10.9/24', eth1: '192.168.10.3/24' }),
      },
    ],
    [
      'eth0',
      'of two in the network another one has the address of the host',
      { routes: [on('eth0'), on('eth1')], network: links({ eth0: '192.168.10.9/24', br0: '192.168.10.3/24' }) },
    ],
    [
      'ens3',
      'no route leads there, and it has the address of the host',
      { routes: [], network: links({ lo: '127.0.0.1/8', ens3: '192.168.10.3/32' }) },
    ],
  ])('is %s where %s', (device, _, facts) => {
    expect(deviceTo(vip, '192.168.10.3', facts)).toBe(device);
  });
});

/** The cluster, where its first load balancer listens, and what keepalived of it sends adverts to. */
const cases: readonly (readonly [string, Cluster, string, readonly string[] | undefined])[] = [
  ['one, at its own address', balanced({}, lb, cp, cp, cp), 'bind :6443', undefined],
  ['one, with a virtual address', balanced({ vip }, lb, cp, cp, cp), 'bind :6443', []],
  ['two', balanced({ vip }, lb, lb, cp, cp, cp), 'bind :6443', ['192.168.10.4']],
  ['three', balanced({ vip, routerId: 77 }, lb, lb, lb, cp), 'bind :6443', ['192.168.10.4', '192.168.10.5']],
  ['the control planes', balanced({ vip }, both, both, cp), `bind ${vip}:6443 transparent`, ['192.168.10.4']],
  ['the control planes, on another port', balanced({ vip, port: 443 }, both, both, cp), 'bind :443', ['192.168.10.4']],
  ['one control plane, on another port', balanced({ port: 8443 }, both, cp, cp), 'bind :8443', undefined],
  [
    'two, with forwarded ports',
    {
      ...balanced({ vip }, lb, lb, cp, cp),
      forwards: [
        { port: 443, to: ['control-planes'], targetPort: 30443, proxyProtocol: true },
        { port: 80, to: ['host-02'], targetPort: 30080, proxyProtocol: false },
      ],
    },
    'bind :6443',
    ['192.168.10.4'],
  ],
];

const ca = authority(balanced({}, lb, cp));
afterAll(() => ca.end());

const first = (cluster: Cluster): ClusterHost => {
  const [host] = loadBalancers(cluster);
  if (!host) throw new Error('no load balancer');
  return host;
};
const wanted = (cluster: Cluster): readonly Resource[] =>
  loadBalancer.resources(first(cluster), { ...ca.site, cluster });
const filesOf = (cluster: Cluster): readonly FileResource[] =>
  wanted(cluster).filter(({ kind }) => kind === 'file') as FileResource[];
const unitsOf = (cluster: Cluster): readonly UnitResource[] =>
  wanted(cluster).filter(({ kind }) => kind === 'unit') as UnitResource[];
const text = (cluster: Cluster, path: string): string | undefined => {
  const found = filesOf(cluster).find((file) => file.path === path);
  return found && reveal(found.content);
};

describe.each(cases)('load balancers: %s', (_, cluster, bind, peers) => {
  it('listen on an address of their own, and forward to every control plane by its name', () => {
    const settings = text(cluster, '/etc/haproxy/haproxy.cfg') ?? '';
    expect(settings.match(/^ {4}bind .*(?=\n {4}default_backend)/m)?.[0].trim()).toBe(bind);
    const servers = cluster.hosts.filter(({ roles }) => roles.includes('control-plane'));
    expect(settings.match(/^ {4}server .*check-sni.*$/gm)).toEqual(
      servers.map(({ name, address }) => `    server ${name} ${address}:6443 check-sni ${name} verifyhost ${name}`),
    );
  });

  it('share a virtual address only where there is one, and send VRRP only to each other', () => {
    const settings = text(cluster, '/etc/keepalived/keepalived.conf');
    expect(unitsOf(cluster).map(({ name }) => name)).toEqual(
      peers ? ['haproxy.service', 'keepalived.service'] : ['haproxy.service'],
    );
    const unicastPeers =
      settings
        ?.match(/unicast_peer \{([^}]*)\}/)?.[1]
        ?.trim()
        .split(/\s+/) ?? [];
    expect(settings === undefined ? undefined : unicastPeers).toEqual(peers);
    // A single load balancer keeps the address in any case: no other host could take it.
    expect(settings?.includes('track_file') ?? false).toBe((peers ?? []).length > 0);
  });

  it('keep the script that keepalived starts out of /usr/local, which a group may write to', () => {
    const script = /^ +script (\S+)$/m.exec(text(cluster, '/etc/keepalived/keepalived.conf') ?? '')?.[1];
    const scripts = filesOf(cluster).flatMap(({ path, mode }) => (mode === '0755' ? [path] : []));
    if ((peers ?? []).length > 0) expect(scripts).toContain(script);
    expect(script ?? '').not.toMatch(/^\/usr\/local/);
  });

  it('have another load balancer that serves as their precondition', () => {
    const roll = loadBalancer.rolling?.(first(cluster), { ...ca.site, cluster });
    expect(roll?.preconditions.map(({ test: script }) => script.match(/192\.168\.10\.\d+/g))).toEqual(
      (peers ?? []).length > 0 ? [peers] : [],
    );
    expect(roll?.healthy).toHaveLength(1);
  });
});

describe('forwarded ports', () => {
  const web: ForwardRule = { port: 443, to: ['control-planes'], targetPort: 30443, proxyProtocol: true };
  const cluster = { ...balanced({ vip }, lb, lb, cp, cp), forwards: [web, { ...web, port: 80, proxyProtocol: false }] };
  const section = (name: string): readonly string[] =>
    (text(cluster, '/etc/haproxy/haproxy.cfg') ?? '')
      .split('\n\n')
      .filter((part) => part.startsWith(name))
      .flatMap((part) => part.split('\n').map((line) => line.trim()));

  it('lead to every target, whose checks go by what its clients send', () => {
    expect(section('backend forward-443')).toEqual([
      'backend forward-443',
      'balance leastconn',
      'default-server check inter 500ms fastinter 200ms downinter 500ms rise 2 fall 2 send-proxy-v2 check-send-proxy',
      'default-server observe layer4 error-limit 1 on-error sudden-death on-marked-down shutdown-sessions',
      'server host-02 192.168.10.5:30443',
      'server host-03 192.168.10.6:30443',
    ]);
    expect(section('backend forward-80').join()).not.toContain('proxy');
  });

  it('share three quarters of the connections, and leave the rest to the API', () => {
    expect(section('frontend forward-80')).toEqual([
      'frontend forward-80',
      'bind :80',
      '# All forwards together leave a quarter of maxconn to the API.',
      'maxconn 3072',
      'default_backend forward-80',
    ]);
  });

  it('leave the settings alone where there are none', () => {
    expect(text(balanced({ vip }, lb, cp), '/etc/haproxy/haproxy.cfg')).not.toMatch(/forward/);
  });

  it('are taken over without another start: the unit stays, and the task asks for other settings', () => {
    const before = { ...cluster, forwards: [web] };
    expect(unitsOf(cluster)).toEqual(unitsOf(before));
    const [is, was] = [cluster, before].map((each) => wanted(each).filter(({ kind }) => kind === 'task'));
    expect(is).toHaveLength(1);
    expect(is).not.toEqual(was);
    expect(wanted(cluster)).toEqual(wanted({ ...cluster }));
  });
});

test.skipIf(lacks('systemd'))('both are units that systemd understands', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kbs-units-'));
  try {
    const units = unitsOf(balanced({ vip }, lb, lb, cp)).map(({ name, text: unit }) => {
      writeFileSync(join(folder, name), unit);
      return join(folder, name);
    });
    expect(units).toHaveLength(2);
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', ...units], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('nothing is installed where the load balancer is external', () => {
  const cluster = balanced({ external: true }, lb, cp);
  expect(cluster.hosts.filter((host) => loadBalancer.appliesTo(host, cluster))).toEqual([]);
});

test.each([
  [undefined, '192.168.10.5', 5],
  [undefined, '10.0.1.0', 255],
  [77, '192.168.10.5', 77],
])('the router id %s of %s is %s', (asked, address, id) => expect(routerIdOf(asked, address)).toBe(id));

describe.skipIf(lacks('root', 'haproxy', 'keepalived'))('haproxy and keepalived themselves', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
    await world.run('ip link add eth0 type bridge; ip address add 192.168.10.3/24 dev eth0; ip link set eth0 up');
  });
  afterAll(() => world.end());

  it.each(cases)('take the files of load balancers: %s', async (_, cluster) => {
    const checked = filesOf(cluster).filter(({ check }) => check !== undefined);
    expect(checked.length).toBeGreaterThan(0);
    // The file kind asks the programs before it puts a file in place, and fails where they refuse.
    await apply(world, filesOf(cluster));
    for (const { path, content } of checked) expect(await world.run(`cat ${path}`)).toBe(reveal(content));
  });

  it.each([
    ['/etc/haproxy/haproxy.cfg', 'balance leastconn', 'balance leastcon'],
    ['/etc/haproxy/haproxy.cfg', '/etc/haproxy/ca.crt', '/etc/haproxy/nothing.crt'],
    ['/etc/keepalived/keepalived.conf', 'advert_int', 'advert_intt'],
    ['/etc/keepalived/keepalived.conf', 'dev eth0', 'dev eth9'],
    ['/etc/keepalived/keepalived.conf', 'haproxy-health', 'haproxy-wealth'],
  ])('refuse %s with %j written as %j, and the old file stays', async (path, piece, by) => {
    const files = filesOf(balanced({ vip }, lb, lb, cp));
    await apply(world, files);
    const broken = files
      .filter((file) => file.path === path)
      .map((file) => ({ ...file, content: reveal(file.content).replace(piece, by) }));
    await expect(apply(world, broken)).rejects.toThrow(/exit/);
    const old = files.find((file) => file.path === path)?.content;
    expect(await world.run(`cat ${path}; [ ! -e ${path}.kbs-new ]`)).toBe(old);
  });
});
