import { type Cluster, type ClusterHost, isControlPlane, isSpeaker } from '../inventory/cluster.js';
import { assignmentOf, assignmentText } from '../network/assignment.js';
import type { KubeObject } from '../resources/resource.js';
import { configMap } from './access.js';
import { adminConf, apiAnswers } from './api.js';
import { taint } from './kubelet.js';
import type { Phase } from './phase.js';

/**
 * Node objects with their pod CIDRs, labels and taints, made before the kubelet registers, or patched where an early
 * kubelet was faster. A ConfigMap holds the whole plan, so that it outlives the machine that kbs runs on.
 */
export const nodes: Phase = {
  name: 'nodes',
  promises: 'every node has its pod CIDR, labels and taints',
  on: isSpeaker,
  gates: () => [apiAnswers],
  resources: (_host, { cluster, subjects }) =>
    subjects.length === 0
      ? []
      : [{ kind: 'object', name: 'nodes', kubeconfig: adminConf, objects: [plan(cluster), ...subjects.map(node)] }],
};

const plan = (cluster: Cluster): KubeObject =>
  configMap('kube-system', 'kbs', { 'pod-cidrs.json': assignmentText(assignmentOf(cluster)) });

const node = (host: ClusterHost): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: host.name,
    labels: {
      'kubernetes.io/hostname': host.name,
      ...(isControlPlane(host) ? { 'node.kubernetes.io/exclude-from-external-load-balancers': '' } : {}),
      ...host.labels,
    },
    // Where kubeadm looks for it; without, it guesses.
    annotations: { 'kubeadm.alpha.kubernetes.io/cri-socket': 'unix:///run/containerd/containerd.sock' },
  },
  spec: {
    podCIDR: host.podCidr,
    podCIDRs: [host.podCidr],
    ...(host.taints.length > 0 ? { taints: host.taints.map(taint) } : {}),
  },
});
