import { Failure } from '../../failure.js';
import {
  type Cluster,
  type ClusterHost,
  controlPlanes,
  dnsServers,
  isControlPlane,
  isDns,
  isLoadBalancer,
  loadBalancers,
} from '../../inventory/cluster.js';
import { hasLeader, hasQuorum, type Member, memberAt } from '../../kubernetes/etcd-members.js';
import type { PodToEvict } from '../../kubernetes/evictable-pods.js';
import { proveRoutes } from '../../network/reachability.js';

/** How a host leaves. */
export interface RemovalMode {
  /** Nothing is asked of the host any more: it is gone for good. */
  readonly dead: boolean;
  readonly force: boolean;
}

/** What is in the way of a removal before any host is contacted; with `force`, only what cannot be overridden. */
export const removalFailures = (
  before: Cluster,
  after: Cluster,
  leaving: readonly ClusterHost[],
  { force }: RemovalMode,
): readonly Failure[] => {
  if (controlPlanes(after).length === 0) {
    return [
      new Failure('refused', `${namesOf(leaving.filter(isControlPlane))}: the last control plane cannot be removed`, {
        next: 'put another control plane into the inventory and run kbs apply first; kbs does not end whole clusters',
      }),
    ];
  }
  return force
    ? []
    : [...balancerFailures(before, after, leaving), ...dnsFailures(before, after, leaving), ...routeFailures(after)];
};

const balancerFailures = (before: Cluster, after: Cluster, leaving: readonly ClusterHost[]): readonly Failure[] => {
  const { address, vip, external } = before.endpoint;
  if (external) return [];
  const last = leaving.some(isLoadBalancer) && loadBalancers(after).length === 0;
  const endpoint = vip === undefined ? leaving.filter((host) => host.address === address) : [];
  if (last) {
    return [
      new Failure('refused', `${namesOf(leaving.filter(isLoadBalancer))}: the last load balancer cannot be removed`, {
        why: [`nodes and clients reach the API through it, at ${before.endpoint.host}:${before.endpoint.port}`],
        next: 'add another load balancer first and apply, or lose the endpoint with --force',
      }),
    ];
  }
  return endpoint.map(
    ({ name }) =>
      new Failure('refused', `${name} is where nodes and clients reach the API`, {
        why: [`the endpoint of the cluster is its address, ${address}`],
        next: 'give the cluster an endpoint.vip first and apply, or lose the endpoint with --force',
      }),
  );
};

const dnsFailures = ({ zone }: Cluster, after: Cluster, leaving: readonly ClusterHost[]): readonly Failure[] =>
  zone !== undefined && leaving.some(isDns) && dnsServers(after).length === 0
    ? [
        new Failure('refused', `${namesOf(leaving.filter(isDns))}: the last DNS server cannot be removed`, {
          why: [`no server would answer for the zone ${zone}`],
          next: 'add another one first and apply, or lose the names with --force',
        }),
      ]
    : [];

/** A removed host may have forwarded the packets of others. */
const routeFailures = (after: Cluster): readonly Failure[] => proveRoutes(after, after.routes);

/**
 * What etcd has against it. Members go one after the other, and each time those that answer must be a majority, of the
 * members before and of those after.
 */
export const quorumFailures = (
  members: readonly Member[],
  leaving: readonly ClusterHost[],
  { dead, force }: RemovalMode,
): readonly Failure[] => {
  let now = members;
  for (const host of leaving.filter(isControlPlane)) {
    const member = memberAt(now, host);
    if (member === undefined) continue;
    const rest = now.filter((other) => other !== member);
    if (dead && member.status !== undefined) {
      return [
        new Failure('refused', `${host.name} is not dead: its etcd member answers`, {
          next: `remove it as a living host, without --dead: kbs remove ${host.name}`,
        }),
      ];
    }
    if (!hasQuorum(now)) {
      return [
        new Failure('refused', 'etcd has lost its quorum: no member can be taken out', {
          why: withoutLeader(now),
          next: 'bring members back, or begin anew from a snapshot: kbs etcd restore FILE',
        }),
      ];
    }
    if (!force && !hasQuorum(rest)) {
      return [
        new Failure('refused', `without ${host.name} etcd would lose its quorum`, {
          why: withoutLeader(rest),
          next: 'bring the others back first, see kbs etcd status; --force lets etcd itself decide',
        }),
      ];
    }
    now = rest;
  }
  return [];
};

const withoutLeader = (members: readonly Member[]): readonly string[] =>
  members
    .filter((member) => !hasLeader(member))
    .map(({ name, id, status }) => `${name || id}: ${status?.errors.join(', ') ?? 'does not answer'}`);

/** Pods without a controller would be lost. */
export const unmanagedPodFailures = (
  host: ClusterHost,
  pods: readonly PodToEvict[],
  { force }: RemovalMode,
): readonly Failure[] => {
  const unmanaged = pods.filter((pod) => pod.unmanaged).map(({ pod }) => pod);
  if (force || unmanaged.length === 0) return [];
  return [
    new Failure('refused', `${host.name} has pods that no controller makes again elsewhere`, {
      where: { host: host.name },
      why: unmanaged,
      next: 'move or delete them, or lose them with --force',
    }),
  ];
};

/** Pods that a budget never lets go: a drain would wait for them until its time is over. */
export const budgetFailures = (
  host: ClusterHost,
  pods: readonly PodToEvict[],
  { force }: RemovalMode,
): readonly Failure[] => {
  const blocked = pods.filter(({ blockedBy }) => blockedBy.length > 0);
  if (force || blocked.length === 0) return [];
  return [
    new Failure('refused', `${host.name} has pods that their budgets never let go`, {
      where: { host: host.name },
      why: blocked.map(({ pod, blockedBy }) => `${pod}: ${blockedBy.join(' and ')}`),
      next: 'run more replicas or allow a disruption in the budget, or delete the pods past it with --force',
    }),
  ];
};

const namesOf = (hosts: readonly ClusterHost[]): string => hosts.map(({ name }) => name).join(', ');
