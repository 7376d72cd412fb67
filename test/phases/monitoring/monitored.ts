import type { Cluster, MonitoringAddon } from '../../../src/inventory/cluster.js';
import { clusterOf, hostOf } from '../../support/cluster.js';

export const monitoring: MonitoringAddon = {
  is: 'monitoring',
  name: 'monitoring',
  values: {},
  adopt: false,
  timeoutSeconds: 300,
  retention: '14d',
  images: 'registries',
};

/** A cluster with the add-on, and a host that is load balancer and DNS server. */
export const monitored = (overrides: Parameters<typeof clusterOf>[0] = {}): Cluster =>
  clusterOf({
    zone: 'hybrid.internal',
    addons: [monitoring],
    hosts: [
      hostOf({ name: 'lb-00', address: '192.168.10.3', segment: 'office', roles: ['load-balancer', 'dns'] }),
      ...clusterOf().hosts,
    ],
    ...overrides,
  });
