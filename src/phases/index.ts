import type { ClusterHost } from '../inventory/cluster.js';
import { isControlPlane, isDns } from '../inventory/cluster.js';
import { dns } from './cluster/dns.js';
import { nodes } from './cluster/nodes.js';
import { proxy } from './cluster/proxy.js';
import { ready } from './cluster/ready.js';
import { access } from './control-plane/access.js';
import { controlPlane, controlPlanePrograms } from './control-plane/control-plane.js';
import { etcd } from './control-plane/etcd.js';
import { etcdVoter } from './control-plane/etcd-voter.js';
import { removeKubelet } from './control-plane/remove-kubelet.js';
import { tools } from './control-plane/tools.js';
import { lanDns, lanZones } from './lan-dns/lan-dns.js';
import { loadBalancer } from './load-balancer/load-balancer.js';
import { certificates } from './node/certificates.js';
import { cni } from './node/cni.js';
import { controlPlaneImages, nodeImages, workerImages } from './node/images.js';
import { kubelet } from './node/kubelet.js';
import { prepare } from './node/prepare.js';
import { resolver } from './node/resolver.js';
import { routes } from './node/routes.js';
import { runtime } from './node/runtime.js';
import type { Phase } from './phase.js';
import { prune, pruneObjects, staleServices } from './prune.js';

/**
 * What kbs does, in order. Each host walks the phases that concern it by itself; a phase waits for others only where it
 * says so. The order is chosen so that long waits overlap with long copies: the API server starts while tools and
 * its host's other images are still arriving.
 */
export const phases = [
  prepare,
  certificates,
  lanZones,
  lanDns,
  loadBalancer,
  staleServices,
  runtime,
  controlPlaneImages,
  etcd,
  workerImages,
  kubelet,
  etcdVoter,
  controlPlanePrograms,
  controlPlane,
  tools,
  cni,
  routes,
  resolver,
  nodeImages,
  access,
  nodes,
  proxy,
  pruneObjects,
  removeKubelet,
  dns,
  prune,
  ready,
] as const satisfies readonly Phase[];

/** An ordered list of phases for some hosts: which hosts, and which of the phases on each. */
export interface Workflow {
  readonly name: 'init' | 'join' | 'apply';
  /** Whether a host takes part at all, and with which phases. */
  phasesOf(host: ClusterHost, target: Target): readonly Phase[];
}

/** What a workflow is about. */
export interface Target {
  /** The nodes that join, for `join`. */
  readonly joining: ReadonlySet<string>;
  /** Hosts whose routes a join changes: those of the same segment, and routers. */
  readonly routed: ReadonlySet<string>;
}

/** Everything that a cluster needs before workers. */
export const init: Workflow = {
  name: 'init',
  phasesOf: (host) => (host.roles.some((role) => role !== 'worker') ? phases : []),
};

/** Workers, and what follows for others: their names, Node objects, routes to their pods, CoreDNS twice from two nodes on. */
export const join: Workflow = {
  name: 'join',
  phasesOf(host, { joining, routed }) {
    if (joining.has(host.name)) return phases;
    const named: readonly Phase[] = isDns(host) ? [lanZones] : [];
    const known: readonly Phase[] = isControlPlane(host) ? [nodes, dns, ready] : [];
    return [...named, ...(routed.has(host.name) ? [routes] : []), ...known];
  },
};

/** The whole inventory. */
export const apply: Workflow = {
  name: 'apply',
  phasesOf: () => phases,
};
