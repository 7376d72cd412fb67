import { contains } from '../inventory/addresses.js';
import type { Cluster, ClusterHost } from '../inventory/cluster.js';
import { controlPlanes, dnsServers, isRouter, isWorker, loadBalancers, majority } from '../inventory/cluster.js';
import type { FailureScenario } from './failure-scenario.js';
import { type Reachability, reachabilityOf } from './reachability.js';

/** Degraded: it goes on, and the next loss of that sort, or a wait for new routes, is all that stands before its end. */
export type Verdict = 'pass' | 'degraded' | 'fail';

/** What a cluster has to keep. */
export type Aspect = 'etcd' | 'api' | 'dns' | 'routes' | 'workers' | 'gpu';

export interface Finding {
  readonly aspect: Aspect;
  readonly verdict: Verdict;
  /** One sentence without a full stop. */
  readonly says: string;
}

/**
 * What becomes of one aspect of a cluster that has lost something; undefined where the cluster has no such thing. More
 * losses never make a failure good.
 */
export const judge = (aspect: Aspect, cluster: Cluster, lost: FailureScenario): Finding | undefined => {
  const judged = judges[aspect]({
    cluster,
    reach: reachabilityOf(cluster, lost),
    left: (hosts) => hosts.filter(({ name }) => !lost.hosts.has(name)),
  });
  return judged === undefined ? undefined : { aspect, verdict: judged[0], says: judged[1] };
};

interface Standing {
  readonly cluster: Cluster;
  readonly reach: Reachability;
  left(hosts: readonly ClusterHost[]): readonly ClusterHost[];
}

type Judged = readonly [Verdict, string] | undefined;

/** Members that reach each other count: a majority that is torn apart elects nobody. */
const etcd = (standing: Standing): Judged => {
  const members = controlPlanes(standing.cluster);
  const { quorum, most } = electorate(standing);
  const left = standing.left(members).length;
  const torn = most < left ? `, ${most} of them together` : '';
  const says = `${left} of ${plural(members.length, 'member')} left${torn}; quorum is ${quorum}`;
  if (most < quorum) return ['fail', says];
  return most < members.length && most === quorum ? ['degraded', says] : ['pass', says];
};

const electorate = (standing: Standing) => {
  const { cluster, reach } = standing;
  const members = controlPlanes(cluster);
  const quorum = majority(members.length);
  const left = standing.left(members);
  const sizes = left.map((one) => left.filter((other) => reach.joined(one.segment, other.segment)).length);
  return { quorum, most: Math.max(0, ...sizes), served: left.filter((_, index) => (sizes[index] ?? 0) >= quorum) };
};

const api = (standing: Standing): Judged => {
  const { cluster, reach } = standing;
  const { vip, external, host, address } = cluster.endpoint;
  const { served } = electorate(standing);
  const all = controlPlanes(cluster);
  const behind = (segment: string) => served.filter((one) => reach.joined(segment, one.segment));
  const dead = 'no control plane that a quorum serves';
  if (external) return tally(served.length, all.length, `${dead} is left behind ${host}`, `behind ${host}`);
  if (vip !== undefined) {
    const home = cluster.network.segments.find(({ cidr }) => contains(cidr, vip))?.name ?? '';
    const balancers = loadBalancers(cluster).filter(({ segment }) => segment === home);
    const holders = standing.left(balancers);
    const planes = behind(home).length;
    if (holders.length === 0) return ['fail', `no load balancer is left in ${home} to hold ${vip}`];
    if (planes === 0) return ['fail', `${dead} is left behind ${vip}`];
    const says = `${vip} on ${holders.map(({ name }) => name).join(' or ')}, ${plural(planes, 'control plane')} behind it`;
    const last = (left: number, before: number): boolean => left === 1 && before > 1;
    return last(holders.length, balancers.length) || last(planes, all.length) ? ['degraded', says] : ['pass', says];
  }
  const holder = cluster.hosts.find((one) => one.address === address);
  if (holder === undefined) return tally(served.length, all.length, `${dead} is left`, 'left');
  if (standing.left([holder]).length === 0) {
    const leads = host === address ? `clients know only ${address}` : `${host} leads to ${address}`;
    return ['fail', `${leads}, which was ${holder.name}`];
  }
  return behind(holder.segment).length === 0
    ? ['fail', `${dead} is left behind ${address}`]
    : ['pass', `${holder.name} answers at ${address}`];
};

const tally = (left: number, before: number, none: string, where: string): Judged => {
  if (left === 0) return ['fail', none];
  return [left === 1 && before > 1 ? 'degraded' : 'pass', `${plural(left, 'control plane')} ${where}`];
};

const dns = (standing: Standing): Judged => {
  const servers = dnsServers(standing.cluster);
  if (servers.length === 0) return undefined;
  const left = standing.left(servers);
  const names = left.map(({ name }) => name).join(', ');
  if (left.length === 0) return ['fail', 'no DNS server is left'];
  const deaf = inhabited(standing.cluster).filter(
    (segment) => !left.some((server) => standing.reach.joined(segment, server.segment)),
  );
  if (deaf.length > 0) return ['fail', `${deaf.join(', ')} cannot reach ${names}`];
  return left.length === 1 && servers.length > 1
    ? ['degraded', `${names} is the last server`]
    : ['pass', `${names} ${left.length === 1 ? 'answers' : 'answer'}`];
};

const inhabited = ({ network, hosts }: Cluster): readonly string[] =>
  network.segments
    .map(({ name }) => name)
    .filter((name) => hosts.some((host) => host.segment === name && !isRouter(host)));

const routes = ({ cluster, reach }: Standing): Judged => {
  const names = cluster.network.segments.map(({ name }) => name);
  const pairs = names.flatMap((a, index) => names.slice(index + 1).map((b) => [a, b] as const));
  if (pairs.length === 0) return undefined;
  const apart = pairs.filter(([a, b]) => !reach.joined(a, b));
  const told = (some: readonly (readonly [string, string])[]): string =>
    some.length === pairs.length && pairs.length > 1
      ? 'no segment reaches another'
      : `${listed(some.map(([a, b]) => `${a} and ${b}`))} ${some.length === 1 ? 'are' : 'are each'} apart`;
  if (apart.length > 0) return ['fail', told(apart)];
  const waiting = pairs.filter(([a, b]) => !reach.untouched(a, b));
  return waiting.length > 0
    ? ['degraded', `${told(waiting)} until the inventory names another gateway and kbs apply has run`]
    : ['pass', pairs.length === 1 ? 'the routers between the segments stand' : 'the routers between segments stand'];
};

const workers = (standing: Standing): Judged => capacity(standing, standing.cluster.hosts.filter(isWorker), 'worker');

const gpu = (standing: Standing): Judged =>
  capacity(
    standing,
    standing.cluster.hosts.filter((host) => isWorker(host) && host.gpu !== undefined),
    'GPU host',
  );

/** Workers that some control plane reaches: no others get new pods. How large they are, a model does not know. */
const capacity = (standing: Standing, all: readonly ClusterHost[], noun: string): Judged => {
  if (all.length === 0) return undefined;
  const left = standing.left(all);
  const planes = standing.left(controlPlanes(standing.cluster));
  const most = Math.max(
    0,
    ...planes.map((plane) => left.filter((one) => standing.reach.joined(plane.segment, one.segment)).length),
  );
  if (planes.length === 0 && left.length > 0) {
    return ['fail', `${plural(left.length, noun)} left, and no control plane to place pods`];
  }
  const cut = most < left.length ? `, ${left.length - most} cut off` : '';
  const says = `${most} of ${plural(all.length, noun)} left${cut}`;
  if (most === 0) return ['fail', says];
  return [most === 1 && all.length > 1 ? 'degraded' : 'pass', says];
};

const judges: Readonly<Record<Aspect, (standing: Standing) => Judged>> = { etcd, api, routes, dns, workers, gpu };

/** In the order in which people ask. */
export const aspects: readonly Aspect[] = ['etcd', 'api', 'routes', 'dns', 'workers', 'gpu'];

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const listed = (items: readonly string[]): string =>
  items.length <= 3 ? items.join(', ') : `${items.slice(0, 3).join(', ')} and ${items.length - 3} more pairs`;
