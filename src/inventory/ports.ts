import { apiServerPort, balancerHealthPort, proxyPorts } from './cluster.js';
import { metricsPorts } from './metrics.js';

type OwnedPort = readonly [port: number, owner: string];

/** The TCP ports of the components that a host runs, with the program that has each, by what the host is. */
export const componentPorts = {
  controlPlane: [
    [apiServerPort, 'kube-apiserver'],
    [10257, 'kube-controller-manager'],
    [10259, 'kube-scheduler'],
  ],
  /** Of control planes, but where the etcd is external. */
  etcd: [
    [2379, 'etcd'],
    [2380, 'etcd'],
    [2381, 'etcd'],
  ],
  node: [
    [10250, 'kubelet'],
    [10248, 'kubelet'],
    [proxyPorts.metrics, 'kube-proxy'],
    [proxyPorts.health, 'kube-proxy'],
  ],
  /** Of nodes whose cluster has the add-on load-balancer-services. */
  announcer: [
    [7472, 'metallb-speaker'],
    [7946, 'metallb-speaker'],
  ],
  loadBalancer: [[balancerHealthPort, 'haproxy']],
  dns: [
    [53, 'coredns'],
    [8053, 'coredns'],
    [9153, 'coredns'],
  ],
  /** Of hosts whose metrics Prometheus reads. */
  metrics: [
    [metricsPorts.tls, 'haproxy'],
    [metricsPorts.node, 'node-exporter'],
  ],
} as const satisfies Readonly<Record<string, readonly OwnedPort[]>>;

/** The ports that kube-proxy gives to Services on every node, first and last: the default of the API server. */
export const nodePorts = [30000, 32767] as const;
