import { isControlPlane, isDns } from '../inventory/cluster.js';
import { addonImages, addons } from '../phases/cluster/addons.js';
import { dns } from '../phases/cluster/dns.js';
import { gpuPlugin } from '../phases/cluster/gpu-plugin.js';
import { nodes } from '../phases/cluster/nodes.js';
import { ready } from '../phases/cluster/ready.js';
import { tools } from '../phases/control-plane/tools.js';
import { phases } from '../phases/index.js';
import { lanZones } from '../phases/lan-dns/lan-dns.js';
import { loadBalancer } from '../phases/load-balancer/load-balancer.js';
import { routes } from '../phases/node/routes.js';
import type { Phase } from '../phases/phase.js';
import type { PhaseWorkflow } from './run/phase-workflow.js';

/**
 * Workers, and what follows for others: their names, load balancers that forward to them, Node objects, the device plugin
 * of GPUs, routes to their pods, a second CoreDNS from two nodes on, add-ons.
 */
export const join: PhaseWorkflow = {
  name: 'join',
  phasesOf(host, { joining, routed, forwarding }) {
    if (joining.has(host.name)) return phases;
    const names: readonly Phase[] = isDns(host) ? [lanZones] : [];
    const forwards: readonly Phase[] = forwarding.has(host.name) ? [loadBalancer] : [];
    const objects: readonly Phase[] = isControlPlane(host)
      ? [tools, addonImages, nodes, gpuPlugin, dns, ready, addons]
      : [];
    return [...names, ...forwards, ...(routed.has(host.name) ? [routes] : []), ...objects];
  },
  isTarget: ({ name }, { joining }) => joining.has(name),
  needsCluster: true,
};
