import { defined } from '../defined.js';
import type { Cluster, ClusterHost, Role } from '../inventory/cluster.js';
import { dnsServers, isLoadBalancer, isRouter, nodes } from '../inventory/cluster.js';
import { pathsOf, routersOf } from '../network/segments-graph.js';

/** What a picture of a cluster shows, whichever language it is drawn in. Every host is in it exactly once. */
export interface Picture {
  readonly name: string;
  readonly version: string;
  readonly pods: string;
  readonly services: string;
  /** `api.ha.internal:6443` */
  readonly api: string;
  readonly external: boolean;
  /** The LAN's DNS zone and who answers for it. */
  readonly dns?: { readonly zone: string; readonly servers: readonly string[] };
  readonly routers: readonly DrawnRouter[];
  readonly segments: readonly DrawnSegment[];
}

export interface DrawnRouter {
  readonly name: string;
  /** The host, where the inventory has it. */
  readonly host?: DrawnHost;
  readonly legs: readonly { readonly segment: string; readonly address: string }[];
  /** How many pod CIDRs it has to know. */
  readonly routes: number;
}

export interface DrawnSegment {
  readonly name: string;
  readonly cidr: string;
  readonly gateway?: string;
  readonly podCidr: string;
  /** The virtual address that lives here, and its balancers. */
  readonly vip?: { readonly address: string; readonly hosts: readonly DrawnHost[] };
  /** All others, the most particular first. */
  readonly hosts: readonly DrawnHost[];
  /** How its hosts reach pods elsewhere. */
  readonly routes: readonly { readonly segment: string; readonly to: string; readonly via: string }[];
}

export interface DrawnHost
  extends Pick<ClusterHost, 'name' | 'address' | 'roles' | 'segment' | 'podCidr' | 'gpu' | 'hypervisor'> {
  /** Its labels and taints, without those that follow from its roles and segment. */
  readonly tags: readonly string[];
}

/** What there is to draw of a cluster. */
export const pictureOf = (cluster: Cluster): Picture => {
  const { network, endpoint, zone } = cluster;
  return {
    name: cluster.name,
    version: cluster.kubernetes.version,
    pods: network.pods,
    services: network.services,
    api: `${endpoint.host}:${endpoint.port}`,
    external: endpoint.external ?? false,
    ...defined({
      dns: zone === undefined ? undefined : { zone, servers: dnsServers(cluster).map(({ name }) => name) },
    }),
    routers: drawnRouters(cluster),
    segments: drawnSegments(cluster),
  };
};

const drawnRouters = (cluster: Cluster): readonly DrawnRouter[] =>
  routersOf(cluster).map(({ name, addresses }) => {
    const host = cluster.hosts.find((one) => one.name === name);
    return {
      name,
      ...defined({ host: host && drawn(host) }),
      legs: Object.entries(addresses).map(([segment, address]) => ({ segment, address })),
      routes: nodes(cluster).filter((node) => node.name !== name).length,
    };
  });

const drawnSegments = (cluster: Cluster): readonly DrawnSegment[] => {
  const paths = pathsOf(cluster);
  const { vip } = cluster.endpoint;
  const home = vip === undefined ? undefined : cluster.hosts.find(isLoadBalancer)?.segment;
  return cluster.network.segments.map(({ name, cidr, gateway, podCidr }) => {
    const members = cluster.hosts.filter((host) => host.segment === name && !isRouter(host));
    const balancers = home === name ? members.filter(isLoadBalancer) : [];
    return {
      name,
      cidr,
      ...defined({ gateway }),
      podCidr,
      ...(vip === undefined || balancers.length === 0 ? {} : { vip: { address: vip, hosts: balancers.map(drawn) } }),
      hosts: members
        .filter((host) => !balancers.includes(host))
        .toSorted((a, b) => rank(a) - rank(b))
        .map(drawn),
      routes: cluster.network.segments.flatMap((other) => {
        const via = other.name === name ? undefined : paths.fromSegment(name, other.name)?.via;
        return via === undefined ? [] : [{ segment: other.name, to: other.podCidr, via }];
      }),
    };
  });
};

const drawn = ({ labels, taints, ...host }: ClusterHost): DrawnHost => {
  const { name, address, roles, segment, podCidr, gpu, hypervisor } = host;
  const own = Object.entries(labels).filter(([key]) => !derived.some((known) => key === known));
  return {
    name,
    address,
    roles,
    segment,
    ...defined({ podCidr, gpu, hypervisor }),
    tags: [
      ...own.map(([key, value]) => `${key}=${value}`),
      ...taints.filter((taint) => !derived.some((known) => taint.startsWith(`${known}:`))),
    ],
  };
};

const derived = ['topology.kubernetes.io/zone', 'node-role.kubernetes.io/control-plane'];

const order: readonly Role[] = ['load-balancer', 'control-plane', 'dns', 'router', 'worker'];

const rank = ({ roles }: ClusterHost): number => Math.min(...roles.map((role) => order.indexOf(role)));

/** A role or a GPU as a word on a host, the word where room is short, and the noun of its count. */
export const badges = {
  'control-plane': { word: 'control plane', short: 'CP', noun: 'control plane' },
  'load-balancer': { word: 'LB', short: 'LB', noun: 'load balancer' },
  dns: { word: 'DNS', short: 'DNS', noun: 'DNS server' },
  router: { word: 'router', short: 'router', noun: 'router' },
  worker: { word: 'worker', short: 'worker', noun: 'worker' },
  gpu: { word: 'GPU', short: 'GPU', noun: 'GPU host' },
} as const satisfies Record<Role | 'gpu', { word: string; short: string; noun: string }>;

export type Badge = keyof typeof badges;

/** A host's badges in the order of importance; the first gives the colour. */
export const badgesOf = ({ roles, gpu }: DrawnHost): readonly Badge[] => [
  ...order.filter((role) => roles.includes(role)),
  ...(gpu === undefined ? [] : (['gpu'] as const)),
];

/** Every host of a picture, routers last. */
export const hostsOf = ({ segments, routers }: Picture): readonly DrawnHost[] => [
  ...segments.flatMap(({ vip, hosts }) => [...(vip?.hosts ?? []), ...hosts]),
  ...routers.flatMap(({ host }) => host ?? []),
];

/** Hosts of the same badges. */
export interface Sort {
  readonly badges: readonly Badge[];
  readonly hosts: readonly DrawnHost[];
}

/** Hosts by themselves, or more than `few` of the same badges as one: for drawings that others lay out. */
export const sorted = (hosts: readonly DrawnHost[], few: number): readonly Sort[] => {
  const sorts = new Map<string, DrawnHost[]>();
  for (const host of hosts) {
    const key = badgesOf(host).join();
    sorts.set(key, [...(sorts.get(key) ?? []), host]);
  }
  return [...sorts.values()].flatMap((sort) =>
    (sort.length > few ? [sort] : sort.map((host) => [host])).map((some) => ({
      badges: some.slice(0, 1).flatMap(badgesOf),
      hosts: some,
    })),
  );
};

/** A count with its noun. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
