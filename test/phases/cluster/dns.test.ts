import { expect, it } from 'vitest';
import type { Cluster } from '../../../src/inventory/cluster.js';
import { dns } from '../../../src/phases/cluster/dns.js';
import { toYaml } from '../../../src/templates/yaml.js';
import { clusterOf, hostOf } from '../../support/cluster.js';
import { contextOf } from '../../support/site.js';

const server = hostOf({ name: 'dns-00', address: '192.168.10.3', segment: 'office', roles: ['dns'] });

const objectOf = (overrides: Partial<Cluster>, sort: string): string => {
  const cluster = clusterOf(overrides);
  const host = cluster.hosts.find(({ roles }) => roles.includes('control-plane'));
  const [objects] = host ? dns.resources(host, contextOf(cluster)) : [];
  return toYaml(objects?.kind === 'object' ? objects.objects.find(({ kind }) => kind === sort) : undefined);
};

it.each([
  ['a zone and a server', { zone: 'lan.internal', hosts: [server, ...clusterOf().hosts] }, true],
  ['a zone without a server', { zone: 'lan.internal' }, false],
  ['a zone that holds the domain of Services', { zone: 'local', hosts: [server, ...clusterOf().hosts] }, false],
])('pods find names of the LAN: %s', (_, overrides, found) => {
  expect(objectOf(overrides, 'ConfigMap').includes('forward . 192.168.10.3')).toBe(found);
});

it.each<readonly [string, readonly (readonly string[])[], number]>([
  ['two where nodes are open', [[], [], []], 2],
  [
    'two where only the control plane’s taint and a wish are there',
    [['node-role.kubernetes.io/control-plane:NoSchedule'], ['a=b:PreferNoSchedule']],
    2,
  ],
  [
    'one where the other node is kept for GPUs',
    [['node-role.kubernetes.io/control-plane:NoSchedule'], ['nvidia.com/gpu=present:NoSchedule']],
    1,
  ],
  ['one where the other node drives pods away', [[], ['node-role.kubernetes.io/control-plane:NoExecute']], 1],
  ['one, which waits, where every node is kept for others', [['a:NoSchedule'], ['b:NoSchedule']], 1],
])('runs as often as nodes take it: %s', (_, taints, replicas) => {
  const hosts = taints.map((those, index) =>
    hostOf({
      name: `node-0${index}`,
      address: `192.168.10.${20 + index}`,
      segment: 'office',
      podCidr: `10.244.${index}.0/24`,
      roles: index === 0 ? ['control-plane'] : ['worker'],
      taints: those,
    }),
  );
  expect(objectOf({ hosts }, 'Deployment')).toContain(`replicas: ${replicas}\n`);
});
