import {
  balancerHealthPort,
  type Cluster,
  type ClusterHost,
  hasEtcdMember,
  isControlPlane,
  isDns,
  isLoadBalancer,
  isMonitored,
  isNode,
  proxyPorts,
} from './cluster.js';

/** A program of a host that tells metrics on loopback, under `/metrics`. */
export interface MetricSource {
  /** What Prometheus calls its targets, as the dashboards and rules of kube-prometheus-stack do. */
  readonly job: string;
  /** The path at the host's own port, without a slash. */
  readonly path: string;
  readonly port: number;
  /** Over TLS with a certificate that the program has made for itself. */
  readonly tls?: true;
}

/** Ports of hosts that are monitored: `tls` on their own address, `node` of node_exporter on loopback. */
export const metricsPorts = { tls: 9444, node: 9445 } as const;

/** The port of the LAN's DNS servers for metrics, on loopback. */
export const dnsMetricsPort = 9153;

/** Whether Prometheus reads metrics of the host: of every one that kbs sets up, but routers. */
export const hasHostMetrics = ({ roles }: Pick<ClusterHost, 'roles'>, cluster: Pick<Cluster, 'addons'>): boolean =>
  isMonitored(cluster) && roles.some((role) => role !== 'router');

/** What of a cluster says which programs a host runs. */
type Monitored = Pick<Cluster, 'addons' | 'endpoint' | 'kubernetes' | 'zone'>;

/** The programs of a host whose metrics Prometheus reads; none where it reads none. */
export const metricSources = (host: ClusterHost, cluster: Monitored): readonly MetricSource[] =>
  hasHostMetrics(host, cluster)
    ? sources.filter(({ of }) => of(host, cluster)).map(({ of: _, ...source }) => source)
    : [];

const sources: readonly (MetricSource & { of(host: ClusterHost, cluster: Monitored): boolean })[] = [
  { job: 'node-exporter', path: 'node', port: metricsPorts.node, of: () => true },
  { job: 'kube-etcd', path: 'etcd', port: 2381, of: hasEtcdMember },
  { job: 'kube-scheduler', path: 'scheduler', port: 10259, tls: true, of: isControlPlane },
  { job: 'kube-controller-manager', path: 'controller-manager', port: 10257, tls: true, of: isControlPlane },
  { job: 'kube-proxy', path: 'kube-proxy', port: proxyPorts.metrics, of: isNode },
  {
    job: 'haproxy',
    path: 'haproxy',
    port: balancerHealthPort,
    of: (host, { endpoint }) => isLoadBalancer(host) && !endpoint.external,
  },
  { job: 'lan-dns', path: 'coredns', port: dnsMetricsPort, of: (host, { zone }) => isDns(host) && zone !== undefined },
];
