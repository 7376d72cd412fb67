import { type Cluster, type ClusterHost, isDns, isLoadBalancer } from '../inventory/cluster.js';
import type { Resource } from '../resources/resource.js';
import { unitAlone } from './control-plane/component-unit.js';
import type { Phase } from './phase.js';

/** A balancer that still held the virtual address, or a server that still answered with old names, would do harm. */
export const staleServices: Phase = {
  name: 'stale-services',
  ensures: 'nothing runs for a role that the host has no more',
  appliesTo: () => true,
  resources: (host, { cluster }) =>
    formerServices(host, cluster).map((name): Resource => ({ kind: 'absent', resource: unitAlone(name) })),
};

const formerServices = (host: ClusterHost, { endpoint }: Cluster): readonly string[] => {
  const balances = isLoadBalancer(host) && !endpoint.external;
  return [
    ...(balances && endpoint.vip !== undefined ? [] : ['keepalived']),
    ...(balances ? [] : ['haproxy']),
    ...(isDns(host) ? [] : ['coredns']),
  ];
};
