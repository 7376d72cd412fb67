import { addonImages, addons } from './cluster/addons.js';
import { dns } from './cluster/dns.js';
import { gpuPlugin } from './cluster/gpu-plugin.js';
import { nodes } from './cluster/nodes.js';
import { proxy } from './cluster/proxy.js';
import { ready } from './cluster/ready.js';
import { access } from './control-plane/access.js';
import { controlPlane, controlPlanePrograms } from './control-plane/control-plane.js';
import { etcd } from './control-plane/etcd.js';
import { etcdVoter } from './control-plane/etcd-voter.js';
import { externalEtcd } from './control-plane/external-etcd.js';
import { removeKubelet } from './control-plane/remove-kubelet.js';
import { tools } from './control-plane/tools.js';
import { lanDns, lanZones } from './lan-dns/lan-dns.js';
import { loadBalancer } from './load-balancer/load-balancer.js';
import { hostMetrics } from './monitoring/host-metrics.js';
import { certificates } from './node/certificates.js';
import { cni } from './node/cni.js';
import { gpu } from './node/gpu.js';
import { controlPlaneImages, nodeImages, workerImages } from './node/images.js';
import { kubelet } from './node/kubelet.js';
import { prepare } from './node/prepare.js';
import { resolver } from './node/resolver.js';
import { routes } from './node/routes.js';
import { runtime } from './node/runtime.js';
import { time } from './node/time.js';
import type { Phase } from './phase.js';
import { prune, pruneObjects, staleServices } from './prune.js';

/**
 * All phases, in order. Each host runs the phases that apply to it, independently of other hosts; it waits for another host
 * only where a phase says so. In this order long waits overlap with long copies: the API server starts while tools and other
 * images are still being copied to its host.
 */
export const phases = [
  time,
  prepare,
  certificates,
  lanZones,
  lanDns,
  loadBalancer,
  staleServices,
  runtime,
  controlPlaneImages,
  etcd,
  externalEtcd,
  workerImages,
  gpu,
  kubelet,
  etcdVoter,
  controlPlanePrograms,
  controlPlane,
  tools,
  cni,
  routes,
  resolver,
  nodeImages,
  addonImages,
  access,
  nodes,
  proxy,
  gpuPlugin,
  pruneObjects,
  removeKubelet,
  dns,
  prune,
  ready,
  hostMetrics,
  addons,
] as const satisfies readonly Phase[];
