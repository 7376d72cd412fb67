import fc from 'fast-check';
import { nthAddress } from '../../src/inventory/addresses.js';
import type { Cluster, ClusterHost, Role, Segment } from '../../src/inventory/cluster.js';
import { planPods } from '../../src/network/pod-plan.js';
import { clusterOf, hostOf } from '../support/cluster.js';

/** How segments are joined: by which routers, each with the numbers of its segments. */
export interface Shape {
  readonly segments: number;
  readonly routers: readonly (readonly number[])[];
  /** False: the gateways are a router that the inventory does not list. Then `routers` is empty. */
  readonly managed: boolean;
}

export interface HostSeed {
  readonly segment: number;
  /** Between 10 and 199; unique in its segment. */
  readonly number: number;
  readonly role: Role;
}

/** A cluster of that shape. Segment number n is 192.168.(10+n).0/24; router r has the address 200+r in its segments. */
export const clusterLike = (shape: Shape, seeds: readonly HostSeed[], pods = '10.244.0.0/16'): Cluster => {
  const names = Array.from({ length: shape.segments }, (_, n) => `segment-${n}`);
  const cidrs = names.map((_, n) => `192.168.${10 + n}.0/24`);
  const hosts = seeds.map(({ segment, number, role }) =>
    hostOf({
      name: `host-${segment}-${number}`,
      address: `192.168.${10 + segment}.${number}`,
      segment: `segment-${segment}`,
      roles: [role],
    }),
  );
  const plan = planPods({
    pods,
    segments: names.map((name, n) => ({
      name,
      cidr: cidrs[n] ?? '',
      hosts: hosts.filter((host) => host.segment === name && hasPods(host)),
    })),
  });
  const routers = shape.routers.map((joined, r): ClusterHost => {
    const addresses = Object.fromEntries(joined.map((n) => [names[n] ?? '', nthAddress(cidrs[n] ?? '', 200 + r)]));
    const [segment, address] = Object.entries(addresses)[0] ?? ['', ''];
    return hostOf({ name: `router-${r}`, roles: ['router'], segment, address, addresses });
  });
  const gatewayOf = (n: number): string | undefined => {
    if (!shape.managed) return nthAddress(cidrs[n] ?? '', 1);
    const router = shape.routers.findIndex((joined) => joined.includes(n));
    return router < 0 ? undefined : nthAddress(cidrs[n] ?? '', 200 + router);
  };
  const segments = plan.segments.map(({ name, podCidr, capacity }, n): Segment => {
    const gateway = gatewayOf(n);
    return { name, cidr: cidrs[n] ?? '', podCidr, capacity, ...(gateway === undefined ? {} : { gateway }) };
  });
  const withPods = hosts.map((host) => {
    const podCidr = plan.hosts[host.name];
    return podCidr === undefined ? host : { ...host, podCidr };
  });
  const base = clusterOf();
  return clusterOf({ network: { ...base.network, pods, segments }, hosts: [...withPods, ...routers] });
};

const hasPods = ({ roles }: ClusterHost): boolean =>
  roles.some((role) => role === 'worker' || role === 'control-plane');

const count = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

export const chain = (n: number): Shape => ({
  segments: n,
  routers: count(n - 1).map((i) => [i, i + 1]),
  managed: true,
});
export const star = (n: number): Shape => ({ segments: n, routers: n > 1 ? [count(n)] : [], managed: true });
/** One unmanaged router in the middle. */
export const foreign = (n: number): Shape => ({ segments: n, routers: [], managed: false });
/** Every segment has two ways to every other. */
export const ring = (n: number): Shape => ({
  segments: n,
  routers: n < 3 ? star(n).routers : count(n).map((i) => [i, (i + 1) % n]),
  managed: true,
});
/** Two routers join the same segments. */
export const twins = (n: number): Shape => ({ ...star(n), routers: [...star(n).routers, ...star(n).routers] });

export const shapes = { chain, star, foreign, ring, twins } as const;

/** Clusters of one to six segments in any shape, with one to thirty hosts. */
export const anyCluster: fc.Arbitrary<Cluster> = fc
  .tuple(fc.constantFrom(...Object.values(shapes)), fc.integer({ min: 1, max: 6 }))
  .chain(([shape, segments]) =>
    fc.record({
      shape: fc.constant(shape(segments)),
      seeds: fc.uniqueArray(
        fc.record({
          segment: fc.integer({ min: 0, max: segments - 1 }),
          number: fc.integer({ min: 10, max: 199 }),
          role: fc.constantFrom<Role>('worker', 'worker', 'control-plane', 'load-balancer'),
        }),
        { minLength: 1, maxLength: 30, selector: ({ segment, number }) => `${segment} ${number}` },
      ),
    }),
  )
  .map(({ shape, seeds }) => clusterLike(shape, seeds));
