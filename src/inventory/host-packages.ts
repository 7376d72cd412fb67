import { type Cluster, type ClusterHost, isLoadBalancer, isNode } from './cluster.js';
import { hasHostMetrics } from './metrics.js';

/** What a host needs OS packages for. A driver of GPUs is not among it: what brings one is known from the host alone. */
export type PackageUse = 'node' | 'kube-proxy' | 'load-balancer' | 'host-metrics';

/** The OS packages that a host needs, for each use, by the names of Debian, which are those of Fedora as well. */
export const hostPackages = (host: ClusterHost, cluster: Cluster): Readonly<Record<PackageUse, readonly string[]>> => {
  const { external, vip } = cluster.endpoint;
  const balances = isLoadBalancer(host) && !external;
  return {
    node: isNode(host) ? ['nftables'] : [],
    'kube-proxy': isNode(host) ? proxyPackages(cluster) : [],
    'load-balancer': balances ? ['haproxy', ...(vip === undefined ? [] : ['keepalived'])] : [],
    'host-metrics': hasHostMetrics(host, cluster) && !balances ? ['haproxy'] : [],
  };
};

/** Packages with the tools that kube-proxy runs on a node where it is a unit, besides nftables. */
const proxyPackages = ({ kubernetes }: Pick<Cluster, 'kubernetes'>): readonly string[] =>
  kubernetes.controlPlane === 'static-pods'
    ? []
    : { nftables: [], iptables: ['iptables'], ipvs: ['iptables', 'ipset'] }[kubernetes.proxy];
