import { contains } from '../inventory/addresses.js';
import type { Cluster, ClusterHost } from '../inventory/cluster.js';
import { controlPlanes, dnsServers, isRouter, isWorker, loadBalancers, majority } from '../inventory/cluster.js';
import { forwardsOf } from '../inventory/lan-services.js';
import type { FailureScenario } from './failure-scenario.js';
import { type Reachability, reachabilityOf } from './reachability.js';

/** Degraded: it works, and the next failure of that sort breaks it; or packets wait for new routes. */
export type AspectStatus = 'pass' | 'degraded' | 'fail';

/** What a cluster has to keep. */
export type Aspect = 'etcd' | 'api' | 'dns' | 'routes' | 'workers' | 'gpu' | 'forwards';

export interface AspectFinding {
  readonly aspect: Aspect;
  readonly status: AspectStatus;
  /** One sentence without a full stop. */
  readonly message: string;
}

/**
 * The state of one aspect of a cluster after a failure; undefined where the cluster has no such thing. A larger
 * failure never gives a better status.
 */
export const assessAspect = (
  aspect: Aspect,
  cluster: Cluster,
  scenario: FailureScenario,
): AspectFinding | undefined => {
  const assessed = assessors[aspect]({
    cluster,
    reach: reachabilityOf(cluster, scenario),
    remaining: (hosts) => hosts.filter(({ name }) => !scenario.hosts.has(name)),
  });
  return assessed === undefined ? undefined : { aspect, status: assessed[0], message: assessed[1] };
};

interface DamagedCluster {
  /** As the inventory has it. */
  readonly cluster: Cluster;
  readonly reach: Reachability;
  /** Those of these hosts that the failure does not take down. */
  remaining(hosts: readonly ClusterHost[]): readonly ClusterHost[];
}

type Assessed = readonly [AspectStatus, string] | undefined;

/** Only members that reach each other count: a majority that is split between segments elects no leader. */
const etcd = (damaged: DamagedCluster): Assessed => {
  const { externalEtcd } = damaged.cluster.kubernetes;
  if (externalEtcd !== undefined) {
    return [
      'pass',
      `external, at ${externalEtcd.endpoints.join(', ')}: taken to be there, as it is no part of the inventory`,
    ];
  }
  const members = controlPlanes(damaged.cluster);
  const { quorum, largest } = quorumOf(damaged);
  const left = damaged.remaining(members).length;
  const split = largest < left ? `, ${largest} of them together` : '';
  const message = `${left} of ${plural(members.length, 'member')} left${split}; quorum is ${quorum}`;
  if (largest < quorum) return ['fail', message];
  return largest < members.length && largest === quorum ? ['degraded', message] : ['pass', message];
};

/** The size of a quorum, of the largest group of members that reach each other, and the members in any quorum. */
const quorumOf = (damaged: DamagedCluster) => {
  const { cluster, reach } = damaged;
  const members = controlPlanes(cluster);
  const quorum = majority(members.length);
  const left = damaged.remaining(members);
  // Each API server asks an etcd that no failure here concerns.
  if (cluster.kubernetes.externalEtcd !== undefined) return { quorum: 0, largest: left.length, withQuorum: left };
  const sizes = left.map((one) => left.filter((other) => reach.joined(one.segment, other.segment)).length);
  return {
    quorum,
    largest: Math.max(0, ...sizes),
    withQuorum: left.filter((_, index) => (sizes[index] ?? 0) >= quorum),
  };
};

const api = (damaged: DamagedCluster): Assessed => {
  const { cluster, reach } = damaged;
  const { vip, external, host, address } = cluster.endpoint;
  const { withQuorum } = quorumOf(damaged);
  const all = controlPlanes(cluster);
  const behind = (segment: string) => withQuorum.filter((one) => reach.joined(segment, one.segment));
  const none = 'no control plane with an etcd quorum';
  if (external) return countStatus(withQuorum.length, all.length, `${none} is left behind ${host}`, `behind ${host}`);
  if (vip !== undefined) {
    const { home, balancers } = addressHolders(cluster);
    const holders = damaged.remaining(balancers);
    const planes = behind(home).length;
    if (holders.length === 0) return ['fail', `no load balancer is left in ${home} to hold ${vip}`];
    if (planes === 0) return ['fail', `${none} is left behind ${vip}`];
    const names = holders.map(({ name }) => name).join(' or ');
    const message = `${vip} on ${names}, ${plural(planes, 'control plane')} behind it`;
    const isLast = (left: number, before: number): boolean => left === 1 && before > 1;
    return isLast(holders.length, balancers.length) || isLast(planes, all.length)
      ? ['degraded', message]
      : ['pass', message];
  }
  const holder = cluster.hosts.find((one) => one.address === address);
  if (holder === undefined) return countStatus(withQuorum.length, all.length, `${none} is left`, 'left');
  if (damaged.remaining([holder]).length === 0) {
    const leads = host === address ? `clients know only ${address}` : `${host} leads to ${address}`;
    return ['fail', `${leads}, the address of ${holder.name}`];
  }
  return behind(holder.segment).length === 0
    ? ['fail', `${none} is left behind ${address}`]
    : ['pass', `${holder.name} answers at ${address}`];
};

const countStatus = (left: number, before: number, none: string, where: string): Assessed => {
  if (left === 0) return ['fail', none];
  return [left === 1 && before > 1 ? 'degraded' : 'pass', `${plural(left, 'control plane')} ${where}`];
};

const dns = (damaged: DamagedCluster): Assessed => {
  const servers = dnsServers(damaged.cluster);
  if (servers.length === 0) return undefined;
  const left = damaged.remaining(servers);
  const names = left.map(({ name }) => name).join(', ');
  if (left.length === 0) return ['fail', 'no DNS server is left'];
  const cutOff = segmentsWithHosts(damaged.cluster).filter(
    (segment) => !left.some((server) => damaged.reach.joined(segment, server.segment)),
  );
  if (cutOff.length > 0) return ['fail', `${cutOff.join(', ')} cannot reach ${names}`];
  return left.length === 1 && servers.length > 1
    ? ['degraded', `${names} is the last server`]
    : ['pass', `${names} ${left.length === 1 ? 'answers' : 'answer'}`];
};

const segmentsWithHosts = ({ network, hosts }: Cluster): readonly string[] =>
  network.segments
    .map(({ name }) => name)
    .filter((name) => hosts.some((host) => host.segment === name && !isRouter(host)));

const routes = ({ cluster, reach }: DamagedCluster): Assessed => {
  const names = cluster.network.segments.map(({ name }) => name);
  const pairs = names.flatMap((a, index) => names.slice(index + 1).map((b) => [a, b] as const));
  if (pairs.length === 0) return undefined;
  const described = (some: readonly (readonly [string, string])[]): string =>
    some.length === pairs.length && pairs.length > 1
      ? 'no segment reaches another'
      : `no route between ${listed(some.map(([a, b]) => `${a} and ${b}`))}`;
  const separated = pairs.filter(([a, b]) => !reach.joined(a, b));
  if (separated.length > 0) return ['fail', described(separated)];
  const waiting = pairs.filter(([a, b]) => !reach.unchanged(a, b));
  return waiting.length > 0
    ? ['degraded', `${described(waiting)} until the inventory names another gateway and kbs apply has run`]
    : ['pass', 'the routes between segments stay as they are'];
};

const workers = (damaged: DamagedCluster): Assessed =>
  capacity(damaged, damaged.cluster.hosts.filter(isWorker), 'worker');

/** Counts GPUs where the inventory says of each host how many it has, and hosts with GPUs otherwise. */
const gpu = (damaged: DamagedCluster): Assessed => {
  const all = damaged.cluster.hosts.filter((host) => isWorker(host) && host.gpu !== undefined);
  return all.every(({ gpuCount }) => gpuCount !== undefined)
    ? capacity(damaged, all, 'GPU', ({ gpuCount = 0 }) => gpuCount)
    : capacity(damaged, all, 'GPU host');
};

/** Counts the workers that some control plane reaches, since no others get new pods. Their sizes are not known. */
const capacity = (
  damaged: DamagedCluster,
  all: readonly ClusterHost[],
  noun: string,
  amount: (host: ClusterHost) => number = () => 1,
): Assessed => {
  if (all.length === 0) return undefined;
  const sum = (hosts: readonly ClusterHost[]): number => hosts.reduce((total, host) => total + amount(host), 0);
  const left = damaged.remaining(all);
  const planes = damaged.remaining(controlPlanes(damaged.cluster));
  const usable = planes
    .map((plane) => left.filter((one) => damaged.reach.joined(plane.segment, one.segment)))
    .reduce((best, some) => (sum(some) > sum(best) ? some : best), []);
  if (planes.length === 0 && left.length > 0) {
    return ['fail', `${plural(sum(left), noun)} left, and no control plane to place pods`];
  }
  const cutOff = usable.length < left.length ? `, ${sum(left) - sum(usable)} cut off` : '';
  const message = `${sum(usable)} of ${plural(sum(all), noun)} left${cutOff}`;
  if (usable.length === 0) return ['fail', message];
  return [usable.length === 1 && all.length > 1 ? 'degraded' : 'pass', message];
};

/** Ports that the load balancers pass on, to the targets that those which can hold the address reach. */
const forwards = (damaged: DamagedCluster): Assessed => {
  const { cluster, reach } = damaged;
  const forwards = forwardsOf(cluster);
  if (forwards.length === 0) return undefined;
  const ports = forwards.map(({ port }) => port).join(', ');
  const { home, balancers } = addressHolders(cluster);
  const holders = damaged.remaining(balancers);
  if (holders.length === 0) return ['fail', `no load balancer is left to forward ${ports}`];
  const counted = forwards.map(({ port, targets }) => {
    const left = damaged.remaining(targets).filter(({ segment }) => reach.joined(home, segment)).length;
    return {
      left,
      isLast: left === 1 && targets.length > 1,
      text: `${port} to ${left} of ${plural(targets.length, 'target')}`,
    };
  });
  const lost = counted.filter(({ left }) => left === 0);
  if (lost.length > 0) return ['fail', lost.map(({ text }) => text).join(', ')];
  const last = counted.filter(({ isLast }) => isLast);
  if (last.length > 0) return ['degraded', last.map(({ text }) => text).join(', ')];
  const names = holders.map(({ name }) => name).join(' or ');
  return holders.length === 1 && balancers.length > 1
    ? ['degraded', `${names} is the last to forward ${ports}`]
    : [
        'pass',
        `${names} ${holders.length === 1 ? 'forwards' : 'forward'} ${counted.map(({ text }) => text).join(', ')}`,
      ];
};

/** The segment of the endpoint's address, and the load balancers that can hold it. */
const addressHolders = (cluster: Cluster) => {
  const { vip, address } = cluster.endpoint;
  const balancers = loadBalancers(cluster);
  if (vip === undefined) {
    const holders = balancers.filter((host) => host.address === address);
    return { home: holders[0]?.segment ?? '', balancers: holders };
  }
  const home = cluster.network.segments.find(({ cidr }) => contains(cidr, vip))?.name ?? '';
  return { home, balancers: balancers.filter(({ segment }) => segment === home) };
};

const assessors: Readonly<Record<Aspect, (damaged: DamagedCluster) => Assessed>> = {
  etcd,
  api,
  routes,
  dns,
  workers,
  gpu,
  forwards,
};

/** In the order of a report. */
export const aspects: readonly Aspect[] = ['etcd', 'api', 'routes', 'dns', 'workers', 'gpu', 'forwards'];

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const listed = (items: readonly string[]): string =>
  items.length <= 3 ? items.join(', ') : `${items.slice(0, 3).join(', ')} and ${items.length - 3} more pairs`;
