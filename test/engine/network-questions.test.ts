import { describe, expect, test } from 'vitest';
import { networkQuestions } from '../../src/engine/network-questions.js';
import type { Cluster, ClusterHost } from '../../src/inventory/cluster.js';
import { clusterOf, hostOf } from '../support/cluster.js';

const office = (name: string, address: string, roles: ClusterHost['roles']) =>
  hostOf({ name, address, segment: 'office', roles });

const cluster: Cluster = clusterOf({
  hosts: [
    ...clusterOf().hosts,
    office('controller-01', '192.168.10.11', ['control-plane']),
    office('lb-00', '192.168.10.3', ['load-balancer']),
  ],
});
const named = { host: 'api.lan', name: 'api.lan', port: 6443 };

const asked = (name: string, of = cluster) => {
  const host = of.hosts.find((each) => each.name === name);
  return host && networkQuestions(host, of);
};

describe('a host is asked', () => {
  test('for the ways to its next hops, and as a control plane to the others, never to itself', () => {
    expect(asked('controller-00')?.to).toEqual(['192.168.10.20', '192.168.10.1', '192.168.10.11']);
    expect(asked('edge')?.to).toContain('192.168.10.2');
    expect(asked('controller-01')?.to).toEqual(['192.168.10.10', '192.168.10.20', '192.168.10.1']);
    expect(asked('worker-rack-00')?.to).toEqual(['192.168.20.1']);
  });

  test('for the way into its segment, where it is alone there too', () => {
    const alone = (cidr: string, address: string) => {
      const { network } = cluster;
      const [segment] = network.segments;
      const of = clusterOf({
        network: { ...network, segments: segment === undefined ? [] : [{ ...segment, cidr }] },
        hosts: [office('cp', address, ['control-plane'])],
      });
      return asked('cp', of)?.to;
    };
    expect(alone('192.168.10.0/24', '192.168.10.10')).toEqual(['192.168.10.1']);
    expect(alone('192.168.10.0/24', '192.168.10.1')).toEqual(['192.168.10.2']);
    expect(alone('192.168.10.0/31', '192.168.10.1')).toEqual(['192.168.10.0']);
    expect(alone('192.168.10.1/32', '192.168.10.1')).toEqual([]);
  });

  test('for the names that kbs writes into /etc/hosts, where it writes any', () => {
    const at = { ...cluster, endpoint: { ...named, address: '192.168.10.3' } };
    expect(asked('controller-01', at)?.names).toEqual(['controller-01', 'api.lan']);
    expect(asked('lb-00', at)?.names).toEqual([]);
    expect(asked('controller-01', at)?.resolve).toEqual([]);
  });

  test('to resolve the name of an API whose address kbs does not know, and whose name it does not answer for', () => {
    const outside = { ...cluster, endpoint: { ...named, external: true } };
    expect(asked('worker-rack-00', outside)).toMatchObject({ names: ['worker-rack-00'], resolve: ['api.lan'] });
    const dns = office('dns-00', '192.168.10.4', ['dns']);
    expect(asked('worker-rack-00', { ...outside, hosts: [...cluster.hosts, dns] })?.resolve).toEqual([]);
  });
});
