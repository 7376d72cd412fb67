import { defined } from '../defined.js';
import type { Cluster, ClusterHost, Role, Segment } from '../inventory/cluster.js';
import { dnsServers, isLoadBalancer, isRouter, networksOf, nodes } from '../inventory/cluster.js';
import { type Forward, forwardsOf, forwardText, type LanRecord, recordsOf } from '../inventory/lan-services.js';
import { pathsOf, routersOf } from '../network/segments-graph.js';

/** The content of a diagram of a cluster, in every output format. Every host is in it exactly once. */
export interface Diagram {
  readonly name: string;
  readonly version: string;
  /** Of IPv4, and of IPv6 where the cluster has both. */
  readonly pods: readonly string[];
  readonly services: readonly string[];
  /** `api.ha.internal:6443` */
  readonly api: string;
  readonly external: boolean;
  /** The endpoints of an etcd outside of the cluster, `etcd-00.lan:2379`; none where control planes have its members. */
  readonly etcd: readonly string[];
  /** The LAN's DNS zone and the hosts that serve it. */
  readonly dns?: {
    readonly zone: string;
    readonly servers: readonly string[];
    /** Its names besides those of hosts and the API. */
    readonly records: readonly LanRecord[];
  };
  readonly forwards: readonly Forward[];
  readonly routers: readonly DrawnRouter[];
  readonly segments: readonly DrawnSegment[];
}

export interface DrawnRouter {
  readonly name: string;
  /** Where the router is a host of the inventory. */
  readonly host?: DrawnHost;
  readonly interfaces: readonly { readonly segment: string; readonly address: string }[];
  /** How many routes to pod CIDRs it needs. */
  readonly podRoutes: number;
}

export interface DrawnSegment {
  readonly name: string;
  readonly cidr: string;
  readonly gateway?: string;
  readonly podCidr: string;
  readonly ipv6?: Pick<Segment, 'cidr' | 'podCidr'>;
  /** The virtual address in this segment, and the load balancers that can hold it. */
  readonly vip?: { readonly address: string; readonly hosts: readonly DrawnHost[] };
  /** All other hosts, in the order of their most important role. */
  readonly hosts: readonly DrawnHost[];
  /** The routes of its hosts to the pods of other segments. */
  readonly routes: readonly { readonly segment: string; readonly to: string; readonly via: string }[];
}

export interface DrawnHost
  extends Pick<
    ClusterHost,
    'name' | 'address' | 'roles' | 'segment' | 'podCidr' | 'ipv6' | 'gpu' | 'gpuCount' | 'hypervisor'
  > {
  /** Of a load balancer: `443 → workers:30443`. */
  readonly forwards: readonly string[];
  /** Without those that follow from its roles and segment. */
  readonly labelsAndTaints: readonly string[];
}

export const diagramOf = (cluster: Cluster): Diagram => {
  const { endpoint, zone } = cluster;
  return {
    name: cluster.name,
    version: cluster.kubernetes.version,
    pods: networksOf(cluster, 'pods'),
    services: networksOf(cluster, 'services'),
    api: `${endpoint.host}:${endpoint.port}`,
    external: endpoint.external ?? false,
    etcd: (cluster.kubernetes.externalEtcd?.endpoints ?? []).map((url) => url.replace('https://', '')),
    ...defined({
      dns:
        zone === undefined
          ? undefined
          : { zone, servers: dnsServers(cluster).map(({ name }) => name), records: recordsOf(cluster) },
    }),
    forwards: forwardsOf(cluster),
    routers: drawnRouters(cluster),
    segments: drawnSegments(cluster),
  };
};

const drawnRouters = (cluster: Cluster): readonly DrawnRouter[] =>
  routersOf(cluster).map(({ name, addresses }) => {
    const host = cluster.hosts.find((one) => one.name === name);
    return {
      name,
      ...defined({ host: host && drawn(host, cluster) }),
      interfaces: Object.entries(addresses).map(([segment, address]) => ({ segment, address })),
      podRoutes: nodes(cluster).filter((node) => node.name !== name).length,
    };
  });

const drawnSegments = (cluster: Cluster): readonly DrawnSegment[] => {
  const draw = (host: ClusterHost) => drawn(host, cluster);
  const paths = pathsOf(cluster);
  const { vip } = cluster.endpoint;
  const home = vip === undefined ? undefined : cluster.hosts.find(isLoadBalancer)?.segment;
  return cluster.network.segments.map(({ name, cidr, gateway, podCidr, ipv6 }) => {
    const members = cluster.hosts.filter((host) => host.segment === name && !isRouter(host));
    const balancers = home === name ? members.filter(isLoadBalancer) : [];
    return {
      name,
      cidr,
      ...defined({ gateway }),
      podCidr,
      ...defined({ ipv6: ipv6 && { cidr: ipv6.cidr, podCidr: ipv6.podCidr } }),
      ...(vip === undefined || balancers.length === 0 ? {} : { vip: { address: vip, hosts: balancers.map(draw) } }),
      hosts: members
        .filter((host) => !balancers.includes(host))
        .toSorted((a, b) => rank(a) - rank(b))
        .map(draw),
      routes: cluster.network.segments.flatMap((other) => {
        const via = other.name === name ? undefined : paths.fromSegment(name, other.name)?.via;
        return via === undefined ? [] : [{ segment: other.name, to: other.podCidr, via }];
      }),
    };
  });
};

const drawn = ({ labels, taints, ...host }: ClusterHost, cluster: Cluster): DrawnHost => {
  const { name, address, roles, segment, podCidr, ipv6, gpu, gpuCount, hypervisor } = host;
  const own = Object.entries(labels).filter(([key]) => !derived.some((known) => key === known));
  return {
    name,
    address,
    roles,
    segment,
    ...defined({ podCidr, ipv6, gpu, gpuCount, hypervisor }),
    forwards: roles.includes('load-balancer') ? forwardsOf(cluster).map(forwardText) : [],
    labelsAndTaints: [
      ...own.map(([key, value]) => `${key}=${value}`),
      ...taints.filter((taint) => !derived.some((known) => taint.startsWith(`${known}:`))),
    ],
  };
};

const derived = [
  'topology.kubernetes.io/zone',
  'node-role.kubernetes.io/control-plane',
  'node-role.kubernetes.io/worker',
];

const order: readonly Role[] = ['load-balancer', 'control-plane', 'dns', 'router', 'worker'];

const rank = ({ roles }: ClusterHost): number => Math.min(...roles.map((role) => order.indexOf(role)));

/** A role or a GPU: its word on a host, the word where space is short, and the noun for a count. */
export const badges = {
  'control-plane': { word: 'control plane', short: 'CP', noun: 'control plane' },
  'load-balancer': { word: 'LB', short: 'LB', noun: 'load balancer' },
  dns: { word: 'DNS', short: 'DNS', noun: 'DNS server' },
  router: { word: 'router', short: 'router', noun: 'router' },
  worker: { word: 'worker', short: 'worker', noun: 'worker' },
  gpu: { word: 'GPU', short: 'GPU', noun: 'GPU host' },
} as const satisfies Record<Role | 'gpu', { word: string; short: string; noun: string }>;

export type Badge = keyof typeof badges;

/** A host's badges in the order of importance; the first gives the color. */
export const badgesOf = ({ roles, gpu }: DrawnHost): readonly Badge[] => [
  ...order.filter((role) => roles.includes(role)),
  ...(gpu === undefined ? [] : (['gpu'] as const)),
];

/** A badge as it stands on a host: a GPU with its number, where the inventory has it. */
export const badgeWord = (badge: Badge, { gpuCount }: DrawnHost, length: 'word' | 'short'): string =>
  badge === 'gpu' && gpuCount !== undefined ? counted(gpuCount, badges.gpu.word) : badges[badge][length];

/** Every host of a diagram, routers last. */
export const hostsOf = ({ segments, routers }: Diagram): readonly DrawnHost[] => [
  ...segments.flatMap(({ vip, hosts }) => [...(vip?.hosts ?? []), ...hosts]),
  ...routers.flatMap(({ host }) => host ?? []),
];

/** Hosts with the same badges. */
export interface HostGroup {
  readonly badges: readonly Badge[];
  readonly hosts: readonly DrawnHost[];
}

/** Hosts one by one, or in one group where more than `limit` have the same badges: for Mermaid and DOT. */
export const grouped = (hosts: readonly DrawnHost[], limit: number): readonly HostGroup[] => {
  const groups = new Map<string, DrawnHost[]>();
  for (const host of hosts) {
    const key = badgesOf(host).join();
    groups.set(key, [...(groups.get(key) ?? []), host]);
  }
  return [...groups.values()].flatMap((group) =>
    (group.length > limit ? [group] : group.map((host) => [host])).map((some) => ({
      badges: some.slice(0, 1).flatMap(badgesOf),
      hosts: some,
    })),
  );
};

/** A count with its noun. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
