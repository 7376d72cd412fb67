import { expect, it } from 'vitest';
import type { Cluster } from '../../../src/inventory/cluster.js';
import { dns } from '../../../src/phases/cluster/dns.js';
import { toYaml } from '../../../src/templates/yaml.js';
import { clusterOf, hostOf } from '../../support/cluster.js';
import { contextOf } from '../../support/site.js';

const server = hostOf({ name: 'dns-00', address: '192.168.10.3', segment: 'office', roles: ['dns'] });

const corefileOf = (overrides: Partial<Cluster>): string => {
  const cluster = clusterOf(overrides);
  const host = cluster.hosts.find(({ roles }) => roles.includes('control-plane'));
  const [objects] = host ? dns.resources(host, contextOf(cluster)) : [];
  return toYaml(objects?.kind === 'object' ? objects.objects.find(({ kind }) => kind === 'ConfigMap') : undefined);
};

it.each([
  ['a zone and a server', { zone: 'lan.internal', hosts: [server, ...clusterOf().hosts] }, true],
  ['a zone without a server', { zone: 'lan.internal' }, false],
  ['a zone that holds the domain of Services', { zone: 'local', hosts: [server, ...clusterOf().hosts] }, false],
])('pods find names of the LAN: %s', (_, overrides, found) => {
  expect(corefileOf(overrides).includes('forward . 192.168.10.3')).toBe(found);
});
