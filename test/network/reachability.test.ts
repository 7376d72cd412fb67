import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Cluster, KernelRoute } from '../../src/inventory/cluster.js';
import { proveRoutes } from '../../src/network/reachability.js';
import { compileRoutes } from '../../src/network/routes.js';
import { ipv6Half } from '../../src/network/segments-graph.js';
import { tracerFor } from '../../src/network/trace.js';
import { clusterOf, hostOf, withIpv6 } from '../support/cluster.js';
import { anyCluster, chain, clusterLike, type HostSeed, ring, star } from './topologies.js';

type Routes = Readonly<Record<string, readonly KernelRoute[]>>;

const seedsIn = (segments: number, each: number): readonly HostSeed[] =>
  Array.from({ length: segments * each }, (_, n) => ({
    segment: n % segments,
    number: 10 + Math.floor(n / segments),
    role: 'worker',
  }));

/** Every trace, as text that can be compared. */
const traces = (cluster: Cluster, routes: Routes): string => {
  const tracer = tracerFor(cluster, routes);
  const hosts = cluster.hosts.filter(({ podCidr }) => podCidr !== undefined);
  return JSON.stringify(
    hosts.map(({ name, podCidr }) => hosts.map((from) => tracer({ name, podCidr: podCidr ?? '' })(from.name))),
  );
};

const replaced = (routes: Routes, host: string, index: number, by: readonly KernelRoute[]): Routes => ({
  ...routes,
  [host]: (routes[host] ?? []).toSpliced(index, 1, ...by),
});

describe('compiled routes', () => {
  it('are proven for every topology', () =>
    fc.assert(
      fc.property(anyCluster, (cluster) => {
        expect(proveRoutes(cluster, compileRoutes(cluster))).toEqual([]);
      }),
    ));

  it('are proven in both families, and refuted where one of IPv6 is missing that a packet needs', () =>
    fc.assert(
      fc.property(anyCluster, fc.nat(), (ipv4, which) => {
        const cluster = withIpv6(ipv4);
        const routes = compileRoutes(cluster);
        expect(proveRoutes(cluster, routes)).toEqual([]);
        const ofIpv6 = Object.entries(routes).flatMap(([host, all]) =>
          all.flatMap(({ to }, index) => (to.includes(':') ? [{ host, index }] : [])),
        );
        expect(ofIpv6).toHaveLength(Object.values(routes).flat().length / 2);
        const lost = ofIpv6[which % Math.max(1, ofIpv6.length)];
        if (lost === undefined) return;
        const broken = replaced(routes, lost.host, lost.index, []);
        const half = ipv6Half(cluster);
        if (half === undefined) throw new Error('no IPv6');
        expect(proveRoutes(cluster, broken).length === 0).toBe(traces(half, broken) === traces(half, routes));
      }),
      { numRuns: 60 },
    ));

  it('are proven for five hundred hosts', () => {
    const cluster = clusterLike(star(5), seedsIn(5, 100), '10.240.0.0/12');
    expect(cluster.hosts.filter(({ podCidr }) => podCidr !== undefined)).toHaveLength(500);
    expect(proveRoutes(cluster, compileRoutes(cluster))).toEqual([]);
  });

  it('are refuted once any one of them is missing or leads elsewhere, unless every packet still takes the same path', () =>
    fc.assert(
      fc.property(anyCluster, fc.nat(), fc.nat(), fc.option(fc.nat()), (cluster, which, where, elsewhere) => {
        const routes = compileRoutes(cluster);
        const hosts = Object.keys(routes).filter((host) => (routes[host] ?? []).length > 0);
        const host = hosts[which % Math.max(1, hosts.length)];
        const route = routes[host ?? '']?.[where % (routes[host ?? '']?.length ?? 1)];
        if (host === undefined || route === undefined) return;
        const addresses = [
          ...cluster.hosts.flatMap((one) => [one.address, ...Object.values(one.addresses)]),
          '192.0.2.1',
        ];
        const via = elsewhere === null ? undefined : addresses[elsewhere % addresses.length];
        const index = routes[host]?.indexOf(route) ?? 0;
        const broken = replaced(routes, host, index, via === undefined ? [] : [{ ...route, via }]);
        const proven = proveRoutes(cluster, broken).length === 0;
        expect(proven).toBe(traces(cluster, broken) === traces(cluster, routes));
      }),
      { numRuns: 150 },
    ));
});

describe('the proof names', () => {
  const cluster = clusterOf();
  const routes = compileRoutes(cluster);
  const chained = clusterLike(chain(3), seedsIn(3, 2));

  it.each<[string, Cluster, Routes, string]>([
    [
      'a router without a route',
      cluster,
      replaced(routes, 'edge', 2, []),
      'edge has no route to 10.244.64.0/24 (pods of worker-rack-00)',
    ],
    [
      'a next hop that is on another segment',
      cluster,
      replaced(routes, 'controller-00', 1, [{ to: '10.244.64.0/18', via: '192.168.20.1', why: '' }]),
      'controller-00 sends 10.244.64.0/24 (pods of worker-rack-00) to 192.168.20.1, which is on none of its segments',
    ],
    [
      'a next hop that is no address of a host or router',
      cluster,
      replaced(routes, 'worker-rack-00', 0, [{ to: '10.244.0.0/18', via: '192.168.20.9', why: '' }]),
      'worker-rack-00 sends 10.244.0.0/24 (pods of controller-00) and 1 more of segment office to 192.168.20.9, which is not the address of any host or router',
    ],
    [
      'a next hop that does not forward',
      {
        ...cluster,
        hosts: [
          ...cluster.hosts,
          hostOf({ name: 'lb', address: '192.168.10.3', segment: 'office', roles: ['load-balancer'] }),
        ],
      },
      replaced(routes, 'controller-00', 1, [{ to: '10.244.64.0/18', via: '192.168.10.3', why: '' }]),
      'controller-00 sends 10.244.64.0/24 (pods of worker-rack-00) to lb, which does not forward packets',
    ],
    [
      'a loop between two routers',
      chained,
      replaced(compileRoutes(chained), 'router-1', 4, [{ to: '10.244.0.0/18', via: '192.168.11.201', why: '' }]),
      'Packets to 10.244.10.0/24 (pods of host-0-10) and 1 more of segment segment-0 go in a loop: router-1 → router-1',
    ],
    [
      'a path back through other routers',
      cluster,
      replaced(routes, 'controller-00', 0, []),
      'Packets to 10.244.1.0/24 (pods of worker-office-00) pass edge, the answers no router',
    ],
    [
      'pods that lie inside a segment',
      {
        ...cluster,
        network: {
          ...cluster.network,
          segments: cluster.network.segments.map((one) =>
            one.name === 'rack' ? { ...one, cidr: '10.244.0.0/16' } : one,
          ),
        },
      },
      { ...routes, 'worker-rack-00': [] },
      'worker-rack-00 takes 10.244.0.0/24 (pods of controller-00) and 1 more of segment office for addresses of a segment it is on',
    ],
    [
      'segments that no router joins',
      clusterLike({ segments: 2, routers: [[0], [1]], managed: true }, seedsIn(2, 1)),
      {},
      'router-0 has no route to 10.244.74.0/24 (pods of host-1-10)',
    ],
  ])('%s', (_, cluster, routes, what) => {
    expect(proveRoutes(cluster, routes).map(({ message }) => message)).toContain(what);
  });

  it('a defect once, with the pairs of hosts that it affects', () => {
    const cluster = clusterLike(ring(3), seedsIn(3, 4));
    const routes = compileRoutes(cluster);
    const [first, ...others] = proveRoutes(cluster, { ...routes, 'router-0': [] });
    expect(others).toHaveLength(1);
    expect(first).toMatchObject({
      code: 'inventory',
      where: { host: 'router-0' },
      why: expect.arrayContaining(['host-0-10 to host-1-10', 'and 11 more pairs of hosts']),
      next: expect.stringContaining('join the segments'),
    });
  });
});
