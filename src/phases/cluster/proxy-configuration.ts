import { announcesServices, type ClusterHost, networksOf, proxyPorts, type Values } from '../../inventory/cluster.js';
import { isRecord } from '../../secret.js';
import { withGates } from '../feature-gates.js';
import type { PhaseContext } from '../phase.js';

/**
 * In a network namespace conntrack's limits are read-only, and kube-proxy would end when it cannot set them;
 * 0 leaves them alone. A DaemonSet has one configuration for all nodes: there the facts of the API host decide.
 */
export const proxyConfiguration = (host: ClusterHost, { cluster, facts }: PhaseContext, kubeconfig: string) => {
  const { proxy, kubeProxy = {}, featureGates } = cluster.kubernetes;
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: proxy,
    clusterCIDR: networksOf(cluster, 'pods').join(','),
    clientConnection: { kubeconfig },
    metricsBindAddress: `127.0.0.1:${proxyPorts.metrics}`,
    ...kubeProxy,
    ...withGates(featureGates, kubeProxy),
    // With ipvs every node has the addresses of Services on an interface, and must not answer ARP for them.
    ...(proxy === 'ipvs' && announcesServices(cluster) ? { ipvs: { ...mapIn(kubeProxy.ipvs), strictARP: true } } : {}),
    ...(facts(host.name).conntrackWritable
      ? {}
      : { conntrack: { ...mapIn(kubeProxy.conntrack), maxPerCore: 0, min: 0 } }),
  };
};

const mapIn = (value: unknown): Values => (isRecord(value) ? value : {});
