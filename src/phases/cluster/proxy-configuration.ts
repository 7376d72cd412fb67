import { announcesServices, type ClusterHost, proxyPorts } from '../../inventory/cluster.js';
import type { PhaseContext } from '../phase.js';

/**
 * In a network namespace conntrack's limits are read-only, and kube-proxy would end when it cannot set them;
 * 0 leaves them alone. Pods have one configuration for all nodes, and the control plane's own answer decides.
 */
export const proxyConfiguration = (host: ClusterHost, { cluster, facts }: PhaseContext, kubeconfig: string) => ({
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  mode: cluster.kubernetes.proxy,
  clusterCIDR: cluster.network.pods,
  clientConnection: { kubeconfig },
  metricsBindAddress: `127.0.0.1:${proxyPorts.metrics}`,
  // With ipvs every node has the addresses of Services on an interface, and must not answer ARP for them.
  ...(cluster.kubernetes.proxy === 'ipvs' && announcesServices(cluster) ? { ipvs: { strictARP: true } } : {}),
  ...(facts(host.name).conntrackWritable ? {} : { conntrack: { maxPerCore: 0, min: 0 } }),
});
