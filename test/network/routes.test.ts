import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cluster, type KernelRoute, nodes } from '../../src/inventory/cluster.js';
import { compileRoutes, routesTouchedByJoin, unmanagedRouters } from '../../src/network/routes.js';
import { clusterOf, hostOf } from '../support/cluster.js';
import { anyCluster, chain, clusterLike, foreign, type HostSeed, ring, twins } from './topologies.js';

const bare = (routes: readonly KernelRoute[] | undefined): readonly string[] =>
  (routes ?? []).map(({ to, via }) => `${to} via ${via}`);

const oneNodeEach = (segments: number): readonly HostSeed[] =>
  Array.from({ length: segments }, (_, segment) => ({ segment, number: 10, role: 'worker' }));

describe('the routes of a cluster', () => {
  const cluster = clusterOf();
  const routes = compileRoutes(cluster);

  it('on a host go directly inside its segment, and to every other segment by one prefix', () => {
    expect(routes['controller-00']).toEqual([
      { to: '10.244.1.0/24', via: '192.168.10.20', why: 'pods of worker-office-00' },
      { to: '10.244.64.0/18', via: '192.168.10.1', why: 'pods of segment rack, through edge' },
    ]);
    expect(bare(routes['worker-rack-00'])).toEqual(['10.244.0.0/18 via 192.168.20.1']);
  });

  it('on a managed router go to every host', () => {
    expect(bare(routes.edge)).toEqual([
      '10.244.0.0/24 via 192.168.10.10',
      '10.244.1.0/24 via 192.168.10.20',
      '10.244.64.0/24 via 192.168.20.20',
    ]);
  });

  it('let a host without pods answer pods', () => {
    const balancer = hostOf({ name: 'lb-00', address: '192.168.10.3', segment: 'office', roles: ['load-balancer'] });
    const more = compileRoutes({ ...cluster, hosts: [...cluster.hosts, balancer] });
    expect(bare(more['lb-00'])).toEqual([
      '10.244.0.0/24 via 192.168.10.10',
      '10.244.1.0/24 via 192.168.10.20',
      '10.244.64.0/18 via 192.168.10.1',
    ]);
  });

  it('lead only to hosts in a single segment', () => {
    const single = clusterLike({ segments: 1, routers: [], managed: false }, [
      { segment: 0, number: 10, role: 'control-plane' },
      { segment: 0, number: 11, role: 'worker' },
    ]);
    expect(compileRoutes(single)).toMatchObject({
      'host-0-10': [{ to: '10.244.11.0/24', via: '192.168.10.11' }],
      'host-0-11': [{ to: '10.244.10.0/24', via: '192.168.10.10' }],
    });
  });

  it('lead along a chain of routers', () => {
    const routes = compileRoutes(clusterLike(chain(3), oneNodeEach(3)));
    expect(Object.fromEntries(Object.entries(routes).map(([host, some]) => [host, bare(some)]))).toEqual({
      'host-0-10': ['10.244.64.0/18 via 192.168.10.200', '10.244.128.0/18 via 192.168.10.200'],
      'host-1-10': ['10.244.0.0/18 via 192.168.11.200', '10.244.128.0/18 via 192.168.11.201'],
      'host-2-10': ['10.244.0.0/18 via 192.168.12.201', '10.244.64.0/18 via 192.168.12.201'],
      'router-0': [
        '10.244.10.0/24 via 192.168.10.10',
        '10.244.74.0/24 via 192.168.11.10',
        '10.244.128.0/18 via 192.168.11.201',
      ],
      'router-1': [
        '10.244.74.0/24 via 192.168.11.10',
        '10.244.138.0/24 via 192.168.12.10',
        '10.244.0.0/18 via 192.168.11.200',
      ],
    });
  });

  it('prefer the gateway where two routers join the same segments', () => {
    const cluster = clusterLike(twins(2), oneNodeEach(2));
    const swapped: Cluster = {
      ...cluster,
      network: {
        ...cluster.network,
        segments: cluster.network.segments.map((segment, n) => ({ ...segment, gateway: `192.168.${10 + n}.201` })),
      },
    };
    expect(bare(compileRoutes(cluster)['host-0-10'])).toEqual(['10.244.64.0/18 via 192.168.10.200']);
    expect(bare(compileRoutes(swapped)['host-0-10'])).toEqual(['10.244.64.0/18 via 192.168.10.201']);
  });

  it('take the shorter path of a ring, even where that is not through the gateway', () => {
    const routes = compileRoutes(clusterLike(ring(4), oneNodeEach(4)));
    // The gateway of segment 1 is router 0, which also leads to segment 2, but in three steps.
    expect(bare(routes['host-1-10'])).toContain('10.244.128.0/18 via 192.168.11.201');
  });

  it('reach a router that has pods itself in the segment that both are on', () => {
    const edge = hostOf({
      name: 'edge',
      address: '192.168.10.1',
      roles: ['router', 'worker'],
      segment: 'office',
      addresses: { office: '192.168.10.1', rack: '192.168.20.1' },
      podCidr: '10.244.2.0/24',
    });
    const hosts = [...cluster.hosts.filter(({ name }) => name !== 'edge'), edge];
    const routes = compileRoutes({ ...cluster, hosts });
    expect(bare(routes['worker-rack-00'])).toEqual([
      '10.244.2.0/24 via 192.168.20.1',
      '10.244.0.0/18 via 192.168.20.1',
    ]);
    expect(bare(routes.edge)).not.toContain('10.244.2.0/24 via 192.168.20.1');
  });

  it('on a node are its neighbours and the other segments, and no more', () =>
    fc.assert(
      fc.property(anyCluster, (cluster) => {
        const routes = compileRoutes(cluster);
        for (const node of nodes(cluster)) {
          const neighbours = nodes(cluster).filter(({ segment }) => segment === node.segment).length - 1;
          expect(routes[node.name]).toHaveLength(neighbours + cluster.network.segments.length - 1);
        }
      }),
    ));
});

describe('an unmanaged router', () => {
  it('is one machine with an interface in every segment whose gateway is unmanaged', () => {
    const cluster = clusterLike(foreign(2), [...oneNodeEach(2), { segment: 1, number: 30, role: 'worker' }]);
    expect(unmanagedRouters(cluster)).toEqual([
      {
        name: 'router 192.168.10.1',
        address: '192.168.10.1',
        addresses: { 'segment-0': '192.168.10.1', 'segment-1': '192.168.11.1' },
        managed: false,
        required: true,
        routes: [
          { to: '10.244.10.0/24', via: '192.168.10.10', why: 'pods of host-0-10' },
          { to: '10.244.74.0/24', via: '192.168.11.10', why: 'pods of host-1-10' },
          { to: '10.244.94.0/24', via: '192.168.11.30', why: 'pods of host-1-30' },
        ],
      },
    ]);
  });

  it('is not required where it joins no segments', () => {
    const [router] = unmanagedRouters(clusterLike(foreign(1), oneNodeEach(1)));
    expect(router).toMatchObject({ required: false, routes: [{ to: '10.244.10.0/24', via: '192.168.10.10' }] });
  });

  it('is absent where every gateway is managed', () => {
    expect(unmanagedRouters(clusterOf())).toEqual([]);
  });
});

describe('a join', () => {
  it('touches the hosts of its own segment and the routers on it', () => {
    const cluster = clusterLike(chain(3), [...oneNodeEach(3), { segment: 2, number: 20, role: 'worker' }]);
    const joining = cluster.hosts.find(({ name }) => name === 'host-2-20');
    expect(joining === undefined ? [] : routesTouchedByJoin(cluster, joining)).toEqual(['host-2-10', 'router-1']);
  });

  it('touches every host where the new one is the first of its segment', () => {
    const cluster = clusterLike(chain(3), [...oneNodeEach(2), { segment: 2, number: 20, role: 'worker' }]);
    const joining = cluster.hosts.find(({ name }) => name === 'host-2-20');
    const others = cluster.hosts.map(({ name }) => name).filter((name) => name !== 'host-2-20');
    expect(joining === undefined ? [] : routesTouchedByJoin(cluster, joining)).toEqual(others);
  });

  it('changes the routes of no other hosts', () =>
    fc.assert(
      fc.property(anyCluster, (cluster) => {
        const [joining] = nodes(cluster);
        if (joining === undefined) return;
        const before = compileRoutes({ ...cluster, hosts: cluster.hosts.filter((host) => host !== joining) });
        const after = compileRoutes(cluster);
        const changed = Object.keys(before).filter((host) => bare(before[host]).join() !== bare(after[host]).join());
        expect(routesTouchedByJoin(cluster, joining)).toEqual(expect.arrayContaining(changed));
      }),
    ));
});
