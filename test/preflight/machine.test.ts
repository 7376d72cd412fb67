import { describe, expect, test } from 'vitest';
import { assumedFacts, type Facts } from '../../src/hosts/facts/facts.js';
import type { Cluster, ClusterHost } from '../../src/inventory/cluster.js';
import type { CheckResult, FailedCheck, HostCheck } from '../../src/preflight/check.js';
import { machineChecks } from '../../src/preflight/machine-checks.js';
import { clusterOf, hostOf } from '../support/cluster.js';

const worker = hostOf({ name: 'w', address: '192.168.10.11', segment: 'office', podCidr: '10.244.0.0/24' });
const balancer = hostOf({ name: 'lb', address: '192.168.10.12', segment: 'office', roles: ['load-balancer'] });

const clusterWith = (proxy: Cluster['kubernetes']['proxy']): Cluster =>
  clusterOf({ kubernetes: { version: '1.36.3', controlPlane: 'static-pods', proxy } });

const found = (
  name: CheckResult['name'],
  facts: Partial<Facts>,
  { host = worker, cluster = clusterOf() }: { readonly host?: ClusterHost; readonly cluster?: Cluster } = {},
): readonly FailedCheck[] =>
  machineChecks
    .filter((check): check is HostCheck => check.name === name && check.scope === 'host')
    .flatMap(({ check }) => check(host, { ...assumedFacts, ...facts }, cluster));

describe('the kernel', () => {
  test.each([
    ['5.10.0-28-amd64', 'nftables', true],
    ['5.4.0-200-generic', 'nftables', true],
    ['4.18.0-553.el8_10.x86_64', 'nftables', true],
    ['5.12.19', 'nftables', true],
    ['5.13.0', 'nftables', false],
    ['5.14.0-427.el9.x86_64', 'nftables', false],
    ['6.1.0-28-amd64', 'nftables', false],
    ['10.0', 'nftables', false],
    ['unknown', 'nftables', false],
    ['5.10.0-28-amd64', 'iptables', false],
    ['5.10.0-28-amd64', 'ipvs', false],
  ] as const)('%s with proxy %s is too old: %s', (kernel, proxy, tooOld) => {
    const cluster = clusterWith(proxy);
    expect(found('kernel-version', { kernel }, { cluster }).map(({ detail, next }) => [detail, next])).toEqual(
      tooOld
        ? [
            [
              `kernel ${kernel} is older than 5.13, which kube-proxy needs for its mode nftables`,
              'write `kubernetes: { proxy: iptables }`, or boot a newer kernel',
            ],
          ]
        : [],
    );
    expect(found('kernel-version', { kernel }, { cluster, host: balancer })).toEqual([]);
  });
});
