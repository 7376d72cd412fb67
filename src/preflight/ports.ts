import type { Facts } from '../hosts/facts/facts.js';
import {
  apiServerPort,
  balancerHealthPort,
  type Cluster,
  type ClusterHost,
  isControlPlane,
  isLoadBalancer,
  isNode,
} from '../inventory/cluster.js';
import type { FailedCheck } from './check.js';

/** The TCP ports of the components that a host runs. */
export const checkPorts = (host: ClusterHost, { listeners }: Facts, cluster: Cluster): readonly FailedCheck[] =>
  portsOf(host, cluster).flatMap(([port, ...owners]) =>
    listeners
      .filter(
        (listener) => listener.port === port && !owners.some((owner) => owner.startsWith(listener.process || '?')),
      )
      .slice(0, 1)
      .map(({ process }) => ({
        detail: `port ${port}, which ${owners[0]} needs, is in use by ${process || 'another process'}`,
        next: `stop it, or see which program it is: ss -ltnp 'sport = :${port}'`,
      })),
  );

/** The ports that must be free, or held by the components that they belong to. */
const portsOf = (host: ClusterHost, { endpoint }: Cluster): readonly (readonly [number, ...string[]])[] => {
  const balances = isLoadBalancer(host) && !endpoint.external;
  // On a control plane haproxy may have the same port, on the virtual address.
  const shared = balances && isControlPlane(host) && endpoint.port === apiServerPort;
  return [
    ...(isControlPlane(host)
      ? [[apiServerPort, 'kube-apiserver', ...(shared ? ['haproxy'] : [])] as const, ...controlPlanePorts]
      : []),
    ...(isNode(host) ? nodePorts : []),
    ...(balances && !shared ? [[endpoint.port, 'haproxy'] as const] : []),
    ...(balances ? [[balancerHealthPort, 'haproxy'] as const] : []),
  ];
};

const controlPlanePorts = [
  [2379, 'etcd'],
  [2380, 'etcd'],
  [2381, 'etcd'],
  [10257, 'kube-controller-manager'],
  [10259, 'kube-scheduler'],
] as const;

const nodePorts = [
  [10250, 'kubelet'],
  [10248, 'kubelet'],
  [10249, 'kube-proxy'],
  [10256, 'kube-proxy'],
] as const;
