import { expect, test } from 'vitest';
import { assumedFacts } from '../../../src/hosts/facts/facts.js';
import { forwarding } from '../../../src/phases/node/prepare.js';
import type { PhaseContext } from '../../../src/phases/phase.js';
import { clusterOf, withIpv6 } from '../../support/cluster.js';

const settings = (cluster = clusterOf(), advertisedLinks: readonly string[] = []): readonly string[] => {
  const ipv6 = { isThere: true, disabledLinks: [], addresses: [], routes: [], advertisedLinks };
  const [host] = cluster.hosts;
  if (host === undefined) throw new Error('no host');
  const context: Pick<PhaseContext, 'facts'> = { facts: () => ({ ...assumedFacts, ipv6 }) };
  return forwarding(host, context).map((resource) =>
    resource.kind === 'sysctl' ? `${resource.name}=${resource.value}` : resource.kind,
  );
};

const ofIpv4 = ['net.ipv4.ip_forward=1', 'net.ipv4.conf.all.rp_filter=2'];

test('a host of IPv4 alone forwards that, whatever its router advertises', () => {
  expect(settings(clusterOf(), ['eth0'])).toEqual(ofIpv4);
});

test('a host of both families goes on listening to advertisements, before it forwards', () => {
  expect(settings(withIpv6(clusterOf()), ['eth0', 'eth0.7'])).toEqual([
    ...ofIpv4,
    'net.ipv6.conf.eth0.accept_ra=2',
    'net.ipv6.conf.eth0/7.accept_ra=2',
    'net.ipv6.conf.all.forwarding=1',
  ]);
});
