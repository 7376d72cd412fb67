import { Failure } from '../failure.js';
import {
  contains,
  type Family,
  familyOf,
  nthSubnet,
  overlaps,
  prefixLength,
  subnetCount,
} from '../inventory/addresses.js';
import { type Cluster, type ClusterHost, nodes } from '../inventory/cluster.js';
import { movedHosts } from './pod-plan.js';

/** Which pod CIDRs segments and nodes have, to be kept: beside the inventory, and in the cluster itself. */
export interface Assignment {
  /** Each segment's part of the pod network. */
  readonly segments: Readonly<Record<string, string>>;
  /** Each node's pod CIDR. */
  readonly hosts: Readonly<Record<string, string>>;
}

export const assignmentOf = (cluster: Cluster): Assignment => ({
  segments: byName(cluster.network.segments.map(({ name, podCidr }) => [name, podCidr])),
  hosts: byName(nodes(cluster).map(({ name, podCidr = '' }) => [name, podCidr])),
});

/** The pod CIDRs of the Nodes that the cluster has now, by name. */
export type LiveCidrs = ReadonlyMap<string, readonly string[]>;

/**
 * The assignment as the cluster has it, where no record of it is left beside the inventory. Only Nodes count as hosts:
 * whatever else `recorded`, the text of the cluster's own record, names has no pods yet. Its segments are taken over.
 */
export const assignmentFrom = (live: LiveCidrs, recorded?: string): Assignment => ({
  segments: (recorded === undefined ? undefined : parseAssignment(recorded)?.segments) ?? {},
  hosts: byName([...live].flatMap(([name, [cidr]]) => (cidr === undefined ? [] : [[name, cidr] as const]))),
});

/** As JSON for people and machines; the order of the inventory does not show. */
export const assignmentText = (assignment: Assignment): string => `${JSON.stringify(assignment, undefined, 2)}\n`;

/** What `assignmentText` wrote, or undefined where a text is something else. */
export const parseAssignment = (text: string): Assignment | undefined => {
  try {
    const { segments, hosts } = JSON.parse(text) as Partial<Record<keyof Assignment, unknown>>;
    return isTexts(segments) && isTexts(hosts) ? { segments, hosts } : undefined;
  } catch {
    return undefined;
  }
};

export interface Move {
  readonly host: string;
  readonly was: string;
  readonly would: string;
}

/**
 * Nodes that have another pod CIDR in an earlier assignment. One that is in another segment now has to move, and is not
 * among them: no route leads to its old pod CIDR any more.
 */
export const movesOf = (before: Assignment, cluster: Cluster): readonly Move[] =>
  movedHosts(before.hosts, assignmentOf(cluster).hosts).filter(({ host, was }) => {
    const old = Object.entries(before.segments).find(([, prefix]) => contains(prefix, was))?.[0];
    const now = cluster.hosts.find(({ name }) => name === host)?.segment;
    return old === now || !cluster.network.segments.some(({ name }) => name === old);
  });

/**
 * What of a cluster's plan contradicts the Nodes that are there: a Node that would get other pod CIDRs, or one of IPv6
 * more or less, and a host that would get one that a Node which is not in the inventory has, or a part of it. One Failure
 * for each such host. Pure.
 */
export const podCidrConflicts = (cluster: Cluster, live: LiveCidrs): readonly Failure[] => {
  const hosts = nodes(cluster).map((host) => ({ host, cidr: host.podCidr ?? '', cidrs: podCidrsOf(host) }));
  const moving = hosts.flatMap(({ host, cidrs }) => {
    const has = live.get(host.name) ?? [];
    const isAs = (family: Family) => ofFamily(cidrs, family).join() === ofFamily(has, family).join();
    if (has.length === 0 || (isAs('ipv4') && isAs('ipv6'))) return [];
    return [isAs('ipv4') ? cannotChangeFamilies(host, cidrs, has) : cannotMove(host, cidrs, has, cluster)];
  });
  const planned = new Set(hosts.map(({ host }) => host.name));
  const foreign = [...live].flatMap(([name, cidrs]) =>
    planned.has(name) ? [] : cidrs.map((cidr) => ({ name, cidr })),
  );
  const used = [...hosts.map(({ cidr }) => cidr), ...[...live.values()].flatMap((has) => ofFamily(has, 'ipv4'))];
  const taken = hosts.flatMap(({ host, cidrs }) => {
    const [clash] = cidrs.flatMap((cidr) => {
      const holder = foreign.find((other) => overlaps(other.cidr, cidr));
      return holder === undefined || live.get(host.name)?.includes(cidr) ? [] : [{ cidr, holder }];
    });
    if (clash === undefined) return [];
    const free = freeFor(host, used, cluster);
    if (free !== undefined) used.push(free);
    return [cannotShare(host, clash.cidr, clash.holder, free)];
  });
  return [...moving, ...taken];
};

/** Of a host, IPv4 first. */
export const podCidrsOf = ({ podCidr, ipv6 }: ClusterHost): readonly string[] =>
  [podCidr, ipv6?.podCidr].filter((cidr) => cidr !== undefined);

const ofFamily = (cidrs: readonly string[], family: Family): readonly string[] =>
  cidrs.filter((cidr) => familyOf(cidr) === family);

/** The IPv4 ones agree. */
const cannotChangeFamilies = ({ name }: ClusterHost, cidrs: readonly string[], has: readonly string[]): Failure => {
  const [before, after] = [ofFamily(has, 'ipv6'), ofFamily(cidrs, 'ipv6')];
  const what =
    after.length === 0
      ? `pod-cidr: ${name} has ${before.join(', ')} in the cluster, and the inventory has IPv4 alone`
      : `pod-cidr: ${name} has ${has.join(', ')} in the cluster and would get ${after.join(', ')} as its part of IPv6`;
  return new Failure('preflight', what, {
    where: { host: name },
    why: ['Kubernetes does not change the pod CIDRs of a Node: one keeps the families that it was made with'],
    next:
      before.length === 0
        ? 'take network.ipv6 out of the inventory again, or make the cluster anew: kbs reset, then kbs init'
        : 'write network.ipv6, and the ipv6 of segments and hosts, as they were',
  });
};

const cannotMove = (host: ClusterHost, cidrs: readonly string[], has: readonly string[], cluster: Cluster): Failure => {
  const { name } = host;
  const [first = ''] = ofFamily(has, 'ipv4');
  const fits =
    first !== '' && segmentOf(host, cluster) !== undefined && contains(segmentOf(host, cluster) ?? '', first);
  const rejoin = `take the node out and join it again: kbs remove ${name}`;
  return new Failure(
    'preflight',
    `pod-cidr: ${name} has ${has.join(', ')} in the cluster and would get ${cidrs.join(', ')}`,
    {
      where: { host: name },
      why: ['Kubernetes does not change the pod CIDR of a Node, and its pods have addresses of the old one'],
      next: fits ? `write hosts.${name}.podCIDR: ${first} into the inventory, or ${rejoin}` : rejoin,
    },
  );
};

const cannotShare = (
  { name }: ClusterHost,
  cidr: string,
  holder: { readonly name: string; readonly cidr: string },
  free: string | undefined,
): Failure => {
  const which = holder.cidr === cidr ? 'which' : `and ${holder.cidr}, which overlaps it,`;
  const another = free === undefined ? 'a free one' : `hosts.${name}.podCIDR: ${free}`;
  return new Failure('preflight', `pod-cidr: ${name} would get ${cidr}, ${which} belongs to the Node ${holder.name}`, {
    where: { host: name },
    why: [`${holder.name} is a Node of the cluster, and no node of this inventory`],
    next: `write ${another} into the inventory; or, if ${holder.name} is gone for good: kubectl delete node ${holder.name}`,
  });
};

/** The first pod CIDR of the host's segment that overlaps none in use. */
const freeFor = (host: ClusterHost, used: readonly string[], cluster: Cluster): string | undefined => {
  const segment = segmentOf(host, cluster);
  if (segment === undefined) return undefined;
  const length = prefixLength(host.podCidr ?? segment);
  for (let n = 0; n < subnetCount(segment, length); n++) {
    const candidate = nthSubnet(segment, length, n);
    if (!used.some((cidr) => overlaps(cidr, candidate))) return candidate;
  }
  return undefined;
};

const segmentOf = (host: ClusterHost, { network }: Cluster): string | undefined =>
  network.segments.find(({ name }) => name === host.segment)?.podCidr;

const byName = (entries: readonly (readonly [string, string])[]): Readonly<Record<string, string>> =>
  Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));

const isTexts = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === 'object' && value !== null && Object.values(value).every((text) => typeof text === 'string');
