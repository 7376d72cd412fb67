import { describe, expect, it } from 'vitest';
import { ingressChecks } from '../../src/verify/ingress.js';
import type { Probe, ProbeNetwork } from '../../src/verify/probes.js';
import { clusterOf, hostOf } from '../support/cluster.js';

const dns = hostOf({ name: 'dns-00', address: '192.168.10.2', segment: 'office', roles: ['dns'] });
const cluster = clusterOf({ zone: 'lan.internal', hosts: [dns, ...clusterOf().hosts] });
const probesOf = (of: typeof cluster): readonly Probe[] =>
  of.hosts
    .filter(({ podCidr }) => podCidr !== undefined)
    .flatMap((node) =>
      (['pod', 'host'] as const).map((network: ProbeNetwork) => ({
        network,
        node,
        pod: `probe-${network}-${node.name}`,
        address: node.address,
      })),
    );

describe('an Ingress from the LAN', () => {
  it('is asked for by name from a host of each segment that has a node, best from one without the controller', () => {
    const checks = ingressChecks(cluster, probesOf(cluster), 'PEM');
    expect(checks.map(({ name }) => name)).toEqual([
      'controller-00 (office) → https://kbs-verify.apps.lan.internal/forwarded, seen as 192.168.10.10',
      'worker-rack-00 (rack) → https://kbs-verify.apps.lan.internal/forwarded, seen as 192.168.20.20',
    ]);
    expect(checks[0]?.source.network).toBe('host');
    expect(checks[0]?.request).toMatchObject({ expect: '192.168.10.10', server: '192.168.10.2:53', ca: 'PEM' });
  });

  it('is asked for with any address from a node that is a load balancer too', () => {
    const both = clusterOf({
      zone: 'lan.internal',
      hosts: cluster.hosts.map((host) =>
        host.name === 'worker-rack-00' ? { ...host, roles: ['worker', 'load-balancer'] as const } : host,
      ),
    });
    expect(ingressChecks(both, probesOf(both), 'PEM')[1]?.request.expect).toBeUndefined();
  });

  it('is asked for by no name that no server knows', () => {
    const { zone: _, ...unnamed } = cluster;
    expect(ingressChecks(unnamed, probesOf(cluster), 'PEM')).toEqual([]);
    expect(ingressChecks({ ...cluster, hosts: clusterOf().hosts }, probesOf(cluster), 'PEM')).toEqual([]);
  });
});
