import type { Facts, LiveRoute, RoutingRule } from '../hosts/facts/facts.js';
import { contains, familyOf, networkOf, overlaps, prefixLength } from '../inventory/addresses.js';
import { type Cluster, type ClusterHost, isNode } from '../inventory/cluster.js';
import { ipv6Half } from '../network/segments-graph.js';
import { type FailedCheck, failIf, type HostCheck } from './check.js';

/**
 * The kernel looks for a route before kube-proxy turns a Service's address into a pod's; in mode ipvs the address is
 * local. A host that was reached has some route: where ip printed none, nothing is known.
 */
export const defaultRouteCheck = {
  name: 'default-route',
  scope: 'host',
  summary: 'a route of a node leads to the addresses of Services: a default route, or one of their own',
  fix: 'set a default route, or `ip route add SERVICES dev DEVICE`, so that it is there after a reboot too',
  check: (host, facts, cluster) =>
    halvesOf(host, facts, cluster).flatMap((half) => routeToServices(half.host, half.facts, half.cluster)),
} satisfies HostCheck;

const routeToServices = (
  host: ClusterHost,
  { routes, network }: Facts,
  { network: { services }, kubernetes }: Cluster,
): readonly FailedCheck[] => {
  const forAll = [...(network?.rules ?? []), ...(network?.laterRules ?? [])].filter(
    (rule) => rule.from === undefined && isFor(rule.to, services),
  );
  const leads = [...routes, ...forAll.flatMap((rule) => rule.routes)].some((route) => covers(route, services));
  const lan = routes.find(({ to, via }) => to !== 'default' && via === undefined && contains(to, host.address));
  return failIf(
    isNode(host) && kubernetes.proxy !== 'ipvs' && routes.length > 0 && !leads,
    `programs of the host itself cannot reach Services, ${services}: there is no default route, and none of their own`,
    `set a default route, or one for them alone: ip route add ${services} dev ${lan?.device || 'DEVICE'}; see that it is there after a reboot`,
  );
};

/** Routes of others into the networks of pods and Services. */
export const networkOverlapCheck = {
  name: 'network-overlap',
  scope: 'host',
  summary:
    'no route of the host leads into the networks of pods and Services: in the main table, and in those that rules ask before it; a default route, whole or in parts, counts in the latter alone',
  fix: 'choose another `network.pods` or `network.services`; or, for another table, send packets to them to the main one: `ip rule add to CIDR lookup main`',
  check: (host, facts, cluster) =>
    halvesOf(host, facts, cluster).flatMap((half) => overlapsIn(half.host, half.facts, half.cluster, half.field)),
} satisfies HostCheck;

/** A host, what is known of it, and its cluster, in one family. */
interface Half {
  readonly host: ClusterHost;
  readonly facts: Facts;
  readonly cluster: Cluster;
  /** Where the inventory has its networks. */
  readonly field: 'network' | 'network.ipv6';
}

/** Rules are not known of IPv6. */
const halvesOf = (host: ClusterHost, facts: Facts, cluster: Cluster): readonly Half[] => {
  const ipv6 = ipv6Half(cluster);
  const same = ipv6?.hosts.find(({ name }) => name === host.name);
  const { ipv6: seen, network: _, ...others } = facts;
  if (ipv6 === undefined || same === undefined || seen === undefined) {
    return [{ host, facts, cluster, field: 'network' }];
  }
  const addresses = seen.addresses.map(({ address }) => address);
  return [
    { host, facts, cluster, field: 'network' },
    { host: same, facts: { ...others, addresses, routes: seen.routes }, cluster: ipv6, field: 'network.ipv6' },
  ];
};

const overlapsIn = (
  host: ClusterHost,
  facts: Facts,
  cluster: Cluster,
  field: Half['field'],
): readonly FailedCheck[] => {
  const { pods, services } = cluster.network;
  return Object.entries({ pods, services }).flatMap(([name, cidr]) => [
    ...overlapsInMain(host, facts, cluster)
      .filter(({ to }) => overlaps(cidr, to))
      .map((route) => {
        const free = freeNetwork(name === 'pods', facts, cluster);
        return {
          detail: `${field}.${name} ${cidr} overlaps ${said(route)}`,
          next: `choose another ${field}.${name} in the inventory${free && `, such as ${free}, which no route of this host covers`}; where no machine that the cluster needs has these addresses: --skip-check network-overlap`,
        };
      }),
    ...overlapsBeforeMain(host, facts, cluster, name === 'pods').map(({ rule, route }) => ({
      detail: `${field}.${name} ${cidr} overlaps ${said(route)} in table ${rule.table}, which rule ${rule.priority} asks before the main table`,
      next: `have what set this rule leave ${cidr} out, or: ip rule add to ${cidr} lookup main priority ${Math.max(rule.priority - 1, 1)}; see that it is there after a reboot; to skip this check: --skip-check network-overlap`,
    })),
  ]);
};

const said = ({ to, device }: LiveRoute): string =>
  `${to === 'default' ? 'the default route' : `the route to ${to}`}${device && ` on ${device}`}`;

const overlapsInMain = (
  host: ClusterHost,
  { routes, addresses }: Facts,
  { network: { pods, services }, routes: ours }: Cluster,
): readonly LiveRoute[] => {
  const own = new Set((ours[host.name] ?? []).map(({ to }) => to));
  return routes.filter(
    (route) =>
      !isDefault(route) &&
      route.device !== 'cni0' &&
      !own.has(route.to) &&
      !isStale(route, pods) &&
      !isForServices(route, services, addresses),
  );
};

/**
 * What clients of mesh VPNs and source-based routing have: one route for each table that the kernel asks before it
 * comes to the routes to pods. There a default route takes the pods' packets too, also where only packets from the
 * host's own address go by it: its answers to pods. Packets to Services get a pod's address before that counts.
 */
const overlapsBeforeMain = (
  host: ClusterHost,
  { network }: Facts,
  { network: { pods, services } }: Cluster,
  ofPods: boolean,
): readonly { readonly rule: RoutingRule; readonly route: LiveRoute }[] => {
  const cidr = ofPods ? pods : services;
  const rules = network?.rules ?? [];
  const exempt = rules.findIndex(({ table, to }) => table === 'main' && to !== undefined && contains(cidrOf(to), cidr));
  return rules.slice(0, exempt < 0 ? undefined : exempt).flatMap((rule) => {
    const isAsked =
      rule.from === undefined ||
      (ofPods && isNode(host) && (contains(cidrOf(rule.from), host.address) || overlaps(cidrOf(rule.from), pods)));
    const counts = (route: LiveRoute) => !isDefault(route) || (ofPods && !rule.afterNarrowRoutes);
    const isThrown = rule.routes.some((route) => route.throws && contains(cidrOf(route.to), cidr));
    if (!isAsked || !isFor(rule.to, cidr) || isThrown) return [];
    return rule.routes
      .filter((route) => !route.throws && counts(route) && overlaps(cidrOf(route.to), cidr))
      .slice(0, 1)
      .map((route) => ({ rule, route }));
  });
};

/**
 * Clients of VPNs write a default route in parts, such as 0.0.0.0/1 and 128.0.0.0/1. The largest private network is a
 * /8 (RFC 1918), so what is larger is meant for the internet, and no network for pods lies outside it.
 */
const isDefault = ({ to }: LiveRoute): boolean => to === 'default' || prefixLength(to) < 8;

const covers = (route: LiveRoute, cidr: string): boolean =>
  !route.throws && (isEverywhere(route) || contains(cidrOf(route.to), cidr));

const isEverywhere = ({ to }: LiveRoute): boolean => to === 'default';

const isFor = (to: string | undefined, cidr: string): boolean => to === undefined || overlaps(cidrOf(to), cidr);

/** Of a rule or a route. */
const cidrOf = (text: string): string => (text === 'default' ? '0.0.0.0/0' : text.includes('/') ? text : `${text}/32`);

/** A private network of the usual size that this host and the inventory leave free; empty where there is none. */
const freeNetwork = (forPods: boolean, { routes, addresses, network }: Facts, cluster: Cluster): string => {
  const { pods, services, segments } = cluster.network;
  const inTables = (network?.rules ?? []).flatMap((rule) => rule.routes);
  const taken = [
    ...[...routes, ...inTables].filter((route) => !isDefault(route)).map(({ to }) => to),
    ...addresses.map(networkOf),
    ...segments.map(({ cidr }) => cidr),
    pods,
    services,
  ];
  if (familyOf(pods) === 'ipv6') return '';
  const candidates = forPods
    ? ['10.244.0.0/16', '172.20.0.0/16', '100.96.0.0/16']
    : ['10.96.0.0/16', '172.21.0.0/16', '100.97.0.0/16'];
  return candidates.find((candidate) => !taken.some((cidr) => overlaps(cidr, candidate))) ?? '';
};

/** A route by a gateway to a part of the pod network is a leftover of kbs's own, which the routes phase replaces. */
const isStale = ({ to, via }: LiveRoute, pods: string): boolean =>
  via !== undefined && contains(pods, to) && to !== pods;

/** What `default-route` advises: a link's route to the Services alone, on a link that has no address of theirs. */
const isForServices = ({ to, via }: LiveRoute, services: string, addresses: readonly string[]): boolean =>
  to === services && via === undefined && !addresses.some((address) => overlaps(networkOf(address), services));
