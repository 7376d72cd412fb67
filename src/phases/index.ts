import type { ClusterHost } from '../inventory/cluster.js';
import { isControlPlane, isDns } from '../inventory/cluster.js';
import { access } from './access.js';
import { certificates } from './certificates.js';
import { cni } from './cni.js';
import { controlPlane } from './control-plane.js';
import { dns } from './dns.js';
import { etcd } from './etcd.js';
import { formerRoles } from './former-roles.js';
import { controlPlaneImages, nodeImages, workerImages } from './images.js';
import { kubelet } from './kubelet.js';
import { lanDns, lanZones } from './lan-dns.js';
import { loadBalancer } from './load-balancer.js';
import { noKubelet } from './no-kubelet.js';
import { nodes } from './nodes.js';
import type { Phase } from './phase.js';
import { prepare } from './prepare.js';
import { noProxyPods, proxy } from './proxy.js';
import { quorum } from './quorum.js';
import { ready } from './ready.js';
import { resolver } from './resolver.js';
import { routes } from './routes.js';
import { runtime } from './runtime.js';
import { tools } from './tools.js';

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
  formerRoles,
  runtime,
  controlPlaneImages,
  etcd,
  workerImages,
  kubelet,
  quorum,
  controlPlane,
  tools,
  cni,
  routes,
  resolver,
  nodeImages,
  access,
  nodes,
  proxy,
  noProxyPods,
  noKubelet,
  dns,
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
