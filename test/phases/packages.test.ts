import { expect, test } from 'vitest';
import type { Facts } from '../../src/hosts/facts/facts.js';
import type { ClusterHost } from '../../src/inventory/cluster.js';
import { packagesFor } from '../../src/phases/packages.js';
import { clusterOf, hostOf } from '../support/cluster.js';
import { contextOf } from '../support/site.js';

const system = (id: string, version: string): Partial<Facts> => ({
  system: { id, version, like: [], programs: [], mounts: [], etcdClusters: [], otherClusters: [], zramUnits: [] },
});

test.each<[ClusterHost['packages'], string, Partial<Facts>, 'host' | 'bundle' | 'host, bundle' | 'nowhere']>([
  [undefined, 'an assumed host', {}, 'host, bundle'],
  [undefined, 'Debian 12', system('debian', '12'), 'host, bundle'],
  [undefined, 'Debian 13, which the bundle lacks', system('debian', '13'), 'host'],
  [undefined, 'Rocky', system('rocky', '9.4'), 'host'],
  ['host', 'Debian 12', system('debian', '12'), 'host'],
  ['bundle', 'Debian 12', system('debian', '12'), 'bundle'],
  ['bundle', 'Rocky', system('rocky', '9.4'), 'nowhere'],
  ['none', 'Debian 12', system('debian', '12'), 'nowhere'],
])('where the inventory says %s, packages of %s come from: %j, %s', (source, _os, facts, from) => {
  const base = hostOf({ name: 'lb', address: '192.168.10.12', segment: 'office', roles: ['load-balancer'] });
  const host = source === undefined ? base : { ...base, packages: source };
  const [made] = packagesFor('load-balancer', host, contextOf(clusterOf(), facts));
  const places = [...(made?.bundleOnly ? [] : ['host']), ...(made?.repository ? ['bundle'] : [])];
  expect(places.join(', ') || 'nowhere').toBe(from);
});
