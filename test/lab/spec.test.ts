import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/failure.js';
import { contains } from '../../src/inventory/addresses.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import { type Cable, hostAddresses, overlapping, specOf } from '../../src/lab/spec.js';
import { clusterOf, hostOf, withIpv6 } from '../support/cluster.js';

describe('the layout of a lab', () => {
  test('gives every host a cable, and a router one in each of its segments', () => {
    const { hosts } = specOf(clusterOf());
    expect(
      hosts.map(({ name, cables }) => [
        name,
        cables.map(({ link, bridge, address }) => `${link} ${bridge} ${address}`),
      ]),
    ).toEqual([
      ['controller-00', ['eth0 seg0 192.168.10.10/24']],
      ['worker-office-00', ['eth0 seg0 192.168.10.20/24']],
      ['worker-rack-00', ['eth0 seg1 192.168.20.20/24']],
      ['edge', ['eth0 seg0 192.168.10.1/24', 'eth1 seg1 192.168.20.1/24']],
    ]);
  });

  test('gives hosts the gateway of their segment, and no host itself', () => {
    const gateways = specOf(clusterOf()).hosts.map(({ name, gateway }) => [name, gateway]);
    expect(Object.fromEntries(gateways)).toEqual({
      'controller-00': '192.168.10.1',
      'worker-office-00': '192.168.10.1',
      'worker-rack-00': '192.168.20.1',
      edge: undefined,
    });
  });

  test('gives hosts addresses and gateways of both families, and its own router too', () => {
    const { hosts, router } = specOf(withIpv6(clusterOf()));
    expect(router).toEqual([]);
    expect(hosts.map(({ name, ipv6Gateway, cables }) => [name, ipv6Gateway, cables.map(({ ipv6 }) => ipv6)])).toEqual([
      ['controller-00', 'fd00:192:168:10::1', ['fd00:192:168:10::10/64']],
      ['worker-office-00', 'fd00:192:168:10::1', ['fd00:192:168:10::20/64']],
      ['worker-rack-00', 'fd00:192:168:20::1', ['fd00:192:168:20::20/64']],
      ['edge', undefined, ['fd00:192:168:10::1/64', 'fd00:192:168:20::1/64']],
    ]);
    const listed = clusterOf();
    const unlisted = withIpv6({ ...listed, hosts: listed.hosts.filter(({ name }) => name !== 'edge') });
    expect(specOf(unlisted).router.map(({ ipv6 }) => ipv6)).toEqual(['fd00:192:168:10::1/64', 'fd00:192:168:20::1/64']);
  });

  test('sends a router to another router, where a segment of its own has one', () => {
    const cluster = clusterOf();
    const [office, rack] = cluster.network.segments;
    if (office === undefined || rack === undefined) throw new Error('the example has two segments');
    const attic = { ...rack, name: 'attic', cidr: '192.168.30.0/24', gateway: '192.168.30.1' };
    const inner = hostOf({
      name: 'inner',
      address: '192.168.30.1',
      segment: 'attic',
      roles: ['router'],
      addresses: { attic: '192.168.30.1', rack: '192.168.20.2' },
    });
    const spec = specOf({
      ...cluster,
      network: { ...cluster.network, segments: [office, rack, attic] },
      hosts: [...cluster.hosts, inner],
    });
    expect(spec.hosts.find(({ name }) => name === 'inner')?.gateway).toBe('192.168.20.1');
  });

  test('adds a router of its own where no listed host holds the gateway', () => {
    const listed = clusterOf();
    expect(specOf(listed).router).toEqual([]);
    const unlisted = { ...listed, hosts: listed.hosts.filter(({ name }) => name !== 'edge') };
    expect(specOf(unlisted).router.map(({ bridge, address }) => `${bridge} ${address}`)).toEqual([
      'seg0 192.168.10.1/24',
      'seg1 192.168.20.1/24',
    ]);
  });

  test('makes guests of the hosts that the inventory wants as such', () => {
    const lab = [
      undefined,
      { platform: 'container', image: 'debian-12' },
      { platform: 'vm' },
      { platform: 'vm', image: 'debian-12', memory: 4096, cpus: 1 },
      { platform: 'vm', image: 'debian-13-arm64' },
    ] as const;
    const hosts = lab.map((machine, n) =>
      hostOf({
        name: `h${n}`,
        address: `192.168.10.1${n}`,
        segment: 'office',
        ...(machine === undefined ? {} : { lab: machine }),
      }),
    );
    expect(specOf(clusterOf({ hosts })).hosts.map(({ guest }) => guest)).toEqual([
      undefined,
      undefined,
      { image: 'debian-13', memory: 2048, cpus: 2 },
      { image: 'debian-12', memory: 4096, cpus: 1 },
      { image: 'debian-13-arm64', memory: 2048, cpus: 2 },
    ]);
  });

  test('gives the virtual address to no host', () => {
    const spec = specOf(clusterOf({ endpoint: { host: '192.168.10.254', port: 6443, vip: '192.168.10.254' } }));
    expect(spec.segments.map(({ address }) => address)).toEqual(['192.168.10.253/24', '192.168.20.254/24']);
  });

  test('is refused where a segment has no address left for the switch', () => {
    const cluster = clusterOf();
    const narrow = { name: 'office', cidr: '192.168.10.8/30', podCidr: '10.244.0.0/18', capacity: 64 };
    const hosts = ['192.168.10.9', '192.168.10.10'].map((address, n) =>
      hostOf({ name: `h${n}`, address, segment: 'office' }),
    );
    expect(() => specOf({ ...cluster, network: { ...cluster.network, segments: [narrow] }, hosts })).toThrow(Failure);
  });

  test('finds its segments that overlap another network', () => {
    const spec = specOf(clusterOf());
    const names = (cidr: string) => overlapping(spec, cidr).map(({ name }) => name);
    expect([names('192.168.0.0/16'), names('192.168.20.128/25'), names('192.168.30.0/24')]).toEqual([
      ['office', 'rack'],
      ['rack'],
      [],
    ]);
  });

  test('law: no name, address or MAC is given twice, names are short, and every address lies in its segment', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 40 }),
        fc.boolean(),
        (segments, hosts, listed) => {
          const spec = specOf(clusterWith(segments, hosts, listed));
          const cables = [...spec.hosts.flatMap((host) => host.cables), ...spec.router];
          const all = [...cables.map(addressOf), ...spec.segments.map(addressOf)];
          expect(new Set(all).size).toBe(all.length);
          for (const key of ['plug', 'mac'] as const)
            expect(new Set(cables.map((cable) => cable[key])).size).toBe(cables.length);
          for (const { plug, link, mac } of cables) {
            expect(Math.max(plug.length, link.length)).toBeLessThanOrEqual(15);
            expect(mac).toMatch(/^02(:[0-9a-f]{2}){5}$/);
          }
          for (const cable of cables) expect(contains(cidrOf(spec.segments, cable), addressOf(cable))).toBe(true);
          for (const host of spec.hosts) expect(hostAddresses(host)[0]).toBe(host.address);
        },
      ),
    );
  });
});

const addressOf = ({ address }: { readonly address: string }): string => address.slice(0, address.indexOf('/'));

const cidrOf = (segments: readonly { readonly bridge: string; readonly cidr: string }[], cable: Cable): string =>
  segments.find(({ bridge }) => bridge === cable.bridge)?.cidr ?? '0.0.0.0/32';

function clusterWith(segments: number, hosts: number, listed: boolean): Cluster {
  const cluster = clusterOf();
  const all = Array.from({ length: segments }, (_, n) => ({
    name: `s${n}`,
    cidr: `10.${n}.0.0/24`,
    gateway: `10.${n}.0.1`,
    podCidr: `10.244.${n}.0/24`,
    capacity: 1,
  }));
  const addresses = Object.fromEntries(all.map(({ name, gateway }) => [name, gateway]));
  const router = hostOf({ name: 'router', address: '10.0.0.1', segment: 's0', roles: ['router'], addresses });
  const others = Array.from({ length: hosts }, (_, n) =>
    hostOf({ name: `h${n}`, address: `10.${n % segments}.0.${10 + n}`, segment: `s${n % segments}` }),
  );
  return {
    ...cluster,
    network: { ...cluster.network, segments: all },
    hosts: listed ? [router, ...others] : others,
  };
}
