import {
  announcesServices,
  apiServerPort,
  type Cluster,
  type ClusterHost,
  hasEtcdMember,
  hasIngress,
  ingressPorts,
  isControlPlane,
  isLoadBalancer,
  isNode,
  isWorker,
} from '../inventory/cluster.js';
import { forwardsOf } from '../inventory/lan-services.js';
import { hasHostMetrics } from '../inventory/metrics.js';
import { componentPorts } from '../inventory/ports.js';
import type { HostCheck } from './check.js';

/** The TCP ports of the components that a host runs, and on load balancers those that they forward. */
export const portsCheck = {
  name: 'ports',
  scope: 'host',
  summary:
    'the TCP ports of the components, and those that load balancers forward, are free, or used by these components',
  fix: 'stop the other program, or give it another port; for haproxy write another `endpoint.port`, or forward another port',
  check: (host, { listeners }, cluster) => {
    const holder = (port: number, owners: readonly string[]) =>
      listeners
        .filter(
          (listener) => listener.port === port && !owners.some((owner) => owner.startsWith(listener.process || '?')),
        )
        .slice(0, 1)
        .map(({ process }) => process || 'another process');
    return [
      ...portsOf(host, cluster).flatMap(([port, ...owners]) =>
        holder(port, owners).map((process) => ({
          detail: `port ${port}, which ${owners[0]} needs, is in use by ${process}`,
          next: `stop it, or see which program it is: ss -ltnp 'sport = :${port}'`,
        })),
      ),
      ...(isLoadBalancer(host) ? forwardsOf(cluster) : []).flatMap(({ port, to, targetPort }) =>
        holder(port, ['haproxy']).map((process) => ({
          detail: `port ${port}, which haproxy forwards to ${to}:${targetPort}, is in use by ${process}`,
          next: `stop it, or forward another port; see which program it is: ss -ltnp 'sport = :${port}'`,
        })),
      ),
    ];
  },
} satisfies HostCheck;

/** The ports that must be free, or held by the components that they belong to. */
const portsOf = (host: ClusterHost, cluster: Cluster): readonly (readonly [number, ...string[]])[] => {
  const { endpoint } = cluster;
  const balances = isLoadBalancer(host) && !endpoint.external;
  // On a control plane haproxy may have the same port, on the virtual address.
  const shared = balances && isControlPlane(host) && endpoint.port === apiServerPort;
  return [
    ...(isControlPlane(host)
      ? componentPorts.controlPlane.map(([port, owner]) => withShared(port, owner, shared))
      : []),
    ...(hasEtcdMember(host, cluster) ? componentPorts.etcd : []),
    ...(isNode(host) ? componentPorts.node : []),
    ...(isNode(host) && announcesServices(cluster) ? componentPorts.announcer : []),
    ...(isWorker(host) && hasIngress(cluster) && !endpoint.ingress
      ? ingressPorts.map(({ port }) => [port, 'traefik'] as const)
      : []),
    ...(balances && !shared ? [[endpoint.port, 'haproxy'] as const] : []),
    ...(balances ? componentPorts.loadBalancer : []),
    ...(hasHostMetrics(host, cluster) ? componentPorts.metrics : []),
  ];
};

const withShared = (port: number, owner: string, shared: boolean): readonly [number, ...string[]] =>
  port === apiServerPort && shared ? [port, owner, 'haproxy'] : [port, owner];
