import { type Cluster, type ClusterHost, isApiHost, isControlPlane } from '../../inventory/cluster.js';
import { adminConf } from '../../kubernetes/kubectl.js';
import { assignmentOf, assignmentText } from '../../network/assignment.js';
import { taint } from '../../resources/node-object.js';
import type { KubeObject } from '../../resources/resource.js';
import { configMap } from '../control-plane/access.js';
import { apiAnswers } from '../gates.js';
import type { Phase } from '../phase.js';

/**
 * Node objects with their pod CIDRs, labels and taints, made before the kubelet registers, or patched where an early
 * kubelet was faster. A ConfigMap holds the whole plan, so that it outlives the machine that kbs runs on.
 */
export const nodes: Phase = {
  name: 'nodes',
  ensures: 'every node has its pod CIDR, labels and taints',
  appliesTo: isApiHost,
  gates: () => [apiAnswers],
  resources: (_host, { cluster, targetNodes }) =>
    targetNodes.length === 0
      ? []
      : [
          {
            kind: 'object',
            name: 'nodes',
            kubeconfig: adminConf,
            objects: [plan(cluster), ...targetNodes.map(node)],
            // The set lists the nodes of this run only: those that it does not list must not be pruned.
            keep: 'until-removed',
          },
        ],
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
