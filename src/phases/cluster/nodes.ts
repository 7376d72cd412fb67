import type { Facts } from '../../hosts/facts/facts.js';
import { type Cluster, type ClusterHost, isApiHost, isControlPlane, isWorker } from '../../inventory/cluster.js';
import { adminConf } from '../../kubernetes/kubectl.js';
import { assignmentOf, assignmentText, podCidrsOf } from '../../network/assignment.js';
import { taint } from '../../resources/node-object.js';
import type { KubeObject } from '../../resources/resource.js';
import { configMap } from '../control-plane/access.js';
import { apiAnswers } from '../gates.js';
import { gpuFactLabels, gpuLabels } from '../node/gpu-labels.js';
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
  resources: (_host, { cluster, targetNodes, facts }) =>
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
          {
            kind: 'object',
            name: 'machines',
            kubeconfig: adminConf,
            objects: targetNodes.map((host) => machine(host, facts(host.name))),
            keep: 'until-removed',
            // A field manager of its own: a host that was not observed has no labels here, which must not delete those it has.
            manager: 'kbs-machines',
          },
        ],
};

const plan = (cluster: Cluster): KubeObject =>
  configMap('kube-system', 'kbs', { 'pod-cidrs.json': assignmentText(assignmentOf(cluster)) });

/** What the facts say; what they do not say stays as it is in the cluster. */
const machine = (host: ClusterHost, facts: Facts): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: host.name,
    labels: { 'kbs.dev/machine': facts.machine?.kind, ...gpuFactLabels(host, facts) },
  },
});

const node = (host: ClusterHost): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: host.name,
    labels: {
      'kubernetes.io/hostname': host.name,
      ...(isControlPlane(host) && !isWorker(host)
        ? { 'node.kubernetes.io/exclude-from-external-load-balancers': '' }
        : {}),
      ...gpuLabels(host),
      ...host.labels,
    },
    // Where kubeadm looks for it; without, it guesses.
    annotations: { 'kubeadm.alpha.kubernetes.io/cri-socket': 'unix:///run/containerd/containerd.sock' },
  },
  spec: {
    podCIDR: host.podCidr,
    podCIDRs: podCidrsOf(host),
    ...(host.taints.length > 0 ? { taints: host.taints.map(taint) } : {}),
  },
});
