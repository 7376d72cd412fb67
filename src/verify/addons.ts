import { webInterfaceOf } from '../addons/index.js';
import type { Host } from '../hosts/host.js';
import type { Cluster } from '../inventory/cluster.js';
import type { AddonOptions } from './addon-options.js';
import { verifyCertManager } from './cert-manager.js';
import type { CheckResult } from './check-result.js';
import { verifyIngress } from './ingress.js';
import { verifyLoadBalancerServices } from './load-balancer-services.js';
import { verifyMetrics } from './metrics.js';
import { verifyMonitoring } from './monitoring.js';
import { verifyStorage } from './storage.js';
import { verifyWebInterface } from './web-interface.js';

/** Proves that each add-on of the inventory that kbs knows does what it is for. */
export const verifyAddons = async (
  cluster: Cluster,
  host: Host,
  options: AddonOptions,
): Promise<readonly CheckResult[]> => {
  const results: CheckResult[] = [];
  for (const addon of cluster.addons ?? []) {
    if (addon.is === 'metrics-server') results.push(...(await verifyMetrics(cluster.hosts, host, options)));
    if (addon.is === 'storage') results.push(...(await verifyStorage(addon, host, options)));
    if (addon.is === 'load-balancer-services') {
      results.push(...(await verifyLoadBalancerServices(addon, cluster, host, options)));
    }
    if (addon.is === 'monitoring') results.push(...(await verifyMonitoring(cluster, host, options)));
    if (addon.is === 'cert-manager') results.push(...(await verifyCertManager(host, options)));
    if (addon.is === 'ingress') results.push(...(await verifyIngress(cluster, host, options)));
    const opened = webInterfaceOf(addon);
    if (opened !== undefined) results.push(...(await verifyWebInterface(opened, host, options)));
  }
  return results;
};
