import { expect, it } from 'vitest';
import type { Cluster, ClusterHost } from '../../../src/inventory/cluster.js';
import { dns } from '../../../src/phases/cluster/dns.js';
import type { KubeObject } from '../../../src/resources/resource.js';
import { toYaml } from '../../../src/templates/yaml.js';
import { clusterOf, hostOf } from '../../support/cluster.js';
import { contextOf } from '../../support/site.js';

const server = hostOf({ name: 'dns-00', address: '192.168.10.3', segment: 'office', roles: ['dns'] });

const controller = hostOf({
  ...{ name: 'cp', address: '192.168.10.10', segment: 'office', podCidr: '10.244.0.0/24' },
  ...{ roles: ['control-plane'], taints: ['node-role.kubernetes.io/control-plane:NoSchedule'] },
});

const objectOf = (wanted: string, overrides: Partial<Cluster>): KubeObject | undefined => {
  const cluster = clusterOf(overrides);
  const host = cluster.hosts.find(({ roles }) => roles.includes('control-plane'));
  const [objects] = host ? dns.resources(host, contextOf(cluster)) : [];
  return objects?.kind === 'object' ? objects.objects.find(({ kind }) => kind === wanted) : undefined;
};

it.each([
  ['those that the inventory names', ['10.0.0.1'], ['192.168.10.2'], 'forward . 10.0.0.1 {'],
  [
    "those of the host's that a pod can ask, which has IPv4 alone",
    [],
    ['fd00::53', '192.168.10.2'],
    'forward . 192.168.10.2 {',
  ],
  ['none, where the host has none', [], [], undefined],
])('CoreDNS asks %s for other names', (_, upstreams, nameservers, expected) => {
  const cluster = clusterOf({ upstreams });
  const [objects] = dns.resources(controller, contextOf(cluster, { nameservers }));
  const [, found] = /^ *(forward .*)$/m.exec(toYaml(objects?.kind === 'object' ? objects.objects : [])) ?? [];
  expect(found).toBe(expected);
});

const corefileOf = (overrides: Partial<Cluster>): string => toYaml(objectOf('ConfigMap', overrides));

it.each([
  ['a zone and a server', { zone: 'lan.internal', hosts: [server, ...clusterOf().hosts] }, true],
  ['a zone without a server', { zone: 'lan.internal' }, false],
  ['a zone that holds the domain of Services', { zone: 'local', hosts: [server, ...clusterOf().hosts] }, false],
])('pods find names of the LAN: %s', (_, overrides, found) => {
  expect(corefileOf(overrides).includes('forward . 192.168.10.3')).toBe(found);
});

const worker = (taints: readonly string[]) =>
  hostOf({ name: 'w', address: '192.168.10.20', segment: 'office', podCidr: '10.244.1.0/24', taints });

it.each<[string, readonly ClusterHost[], number]>([
  ['a worker beside a control plane', [controller, worker([])], 2],
  ['one node', [controller], 1],
  ['a worker that keeps ordinary pods away', [controller, worker(['nvidia.com/gpu=present:NoSchedule'])], 1],
  ['a worker that drives pods away', [controller, worker(['node-role.kubernetes.io/control-plane:NoExecute'])], 1],
  ['a worker that would rather have no pods', [controller, worker(['disk=slow:PreferNoSchedule'])], 2],
])('CoreDNS has a replica for each of two nodes that take it: %s', (_, hosts, replicas) => {
  expect(objectOf('Deployment', { hosts })?.spec).toMatchObject({ replicas });
});
