/**
 * The fields of a KubeProxyConfiguration of Kubernetes 1.36 that an inventory may set: all but those in
 * `ownKubeProxyFields`. See https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/
 */
export const freeKubeProxyFields: readonly string[] = [
  'bindAddressHardFail',
  'configSyncPeriod',
  'conntrack',
  'enableProfiling',
  'featureGates',
  'iptables',
  'ipvs',
  'logging',
  'nftables',
  'nodePortAddresses',
  'oomScoreAdj',
  'showHiddenMetricsForVersion',
];

/** The fields that kbs sets itself or relies on, and why. */
export const ownKubeProxyFields: Readonly<Record<string, string>> = {
  apiVersion: 'kbs writes the file',
  kind: 'kbs writes the file',
  bindAddress: 'one address would be that of every node',
  clientConnection: 'kbs writes the kubeconfig',
  clusterCIDR: 'write `network.pods`',
  detectLocal: 'the pod network tells which traffic is local',
  detectLocalMode: 'the pod network tells which traffic is local',
  healthzBindAddress: 'kbs asks there',
  hostnameOverride: "it follows the host's name",
  metricsBindAddress: 'kbs asks there',
  mode: 'write `kubernetes.proxy`',
  portRange: 'kube-proxy does not use it',
  windowsRunAsService: 'nodes are Linux machines',
  winkernel: 'nodes are Linux machines',
};
