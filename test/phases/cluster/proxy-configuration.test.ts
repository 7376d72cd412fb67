import { expect, test } from 'vitest';
import type { Addon, Cluster } from '../../../src/inventory/cluster.js';
import { proxyConfiguration } from '../../../src/phases/cluster/proxy-configuration.js';
import { clusterOf, hostOf } from '../../support/cluster.js';
import { contextOf } from '../../support/site.js';

const addon: Addon = {
  is: 'load-balancer-services',
  name: 'load-balancer-services',
  values: {},
  adopt: false,
  timeoutSeconds: 300,
  pools: [],
};
const host = hostOf({ name: 'one', address: '192.168.10.10', segment: 'office' });

test.each<[Cluster['kubernetes']['proxy'], readonly Addon[], object]>([
  ['ipvs', [addon], { ipvs: { strictARP: true } }],
  ['ipvs', [], {}],
  ['nftables', [addon], {}],
  ['iptables', [addon], {}],
])('%s with %j: nodes answer ARP for no address of a Service', (proxy, addons, expected) => {
  const cluster = clusterOf({ addons, kubernetes: { version: '1.36.3', controlPlane: 'static-pods', proxy } });
  const { ipvs } = proxyConfiguration(host, contextOf(cluster), '/kubeconfig') as { ipvs?: object };
  expect(ipvs === undefined ? {} : { ipvs }).toEqual(expected);
});
