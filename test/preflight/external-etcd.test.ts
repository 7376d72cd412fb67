import { describe, expect, test } from 'vitest';
import { assumedFacts, type Facts } from '../../src/hosts/facts/facts.js';
import { parseNetwork } from '../../src/hosts/facts/network.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import { etcdChangeCheck, externalEndpointsCheck, externalEtcdCheck } from '../../src/preflight/external-etcd.js';
import { clusterOf, hostOf } from '../support/cluster.js';

const [one, two] = ['https://etcd-00.lan:2379', 'https://etcd-01.lan:2379'];
const own = 'https://127.0.0.1:2379';

const using = (...endpoints: readonly string[]): Cluster => {
  const { kubernetes } = clusterOf();
  const externalEtcd = { endpoints, ca: '', certificate: '' };
  return clusterOf({ kubernetes: endpoints.length === 0 ? kubernetes : { ...kubernetes, externalEtcd } });
};

const plane = hostOf({ name: 'controller-00', address: '192.168.10.10', segment: 'office', roles: ['control-plane'] });
const worker = hostOf({ name: 'w', address: '192.168.10.20', segment: 'office' });

describe('an API server whose etcd', () => {
  test.each<[string, readonly string[], Cluster, string | undefined]>([
    ['is not chosen yet', [], using(one), undefined],
    ['is its own member, and stays', [own], using(), undefined],
    ['is external, and stays', [one, two], using(two, one), undefined],
    ['has members that change', [one, two], using('https://etcd-02.lan:2379', two), undefined],
    ['would become external', [own], using(one), `its own member of etcd, and the inventory names the one at ${one}`],
    ['would become its own member', [one], using(), `the etcd at ${one}, and the inventory names no external one`],
    [
      'would become another external one',
      [one],
      using(two),
      `the etcd at ${one}, and the inventory names the one at ${two}`,
    ],
  ])('%s', (_, etcdServers, cluster, said) => {
    const found = etcdChangeCheck.check(plane, { ...assumedFacts, etcdServers }, cluster);
    expect(found.map(({ detail }) => detail)).toEqual(
      said === undefined ? [] : [`its API server uses ${said}: all objects of hybrid would be gone`],
    );
  });
});

test.each<[string, string, boolean, readonly string[]]>([
  ['no endpoint is asked of', '', false, []],
  ['all are open', `connection ${one} open\nconnection ${two} open`, false, []],
  ['one is closed', `connection ${one} closed\nconnection ${two} open`, false, [`${one} takes no connections`]],
  ['all are closed', `connection ${one} closed\nconnection ${two} closed`, true, []],
  ['none can be tried', `connection ${one} unknown`, false, [`cannot tell whether ${one} takes connections`]],
])('where %s, a control plane has an etcd or is refused', (_, printed, refused, warnings) => {
  const facts: Facts = { ...assumedFacts, network: parseNetwork(printed) };
  expect(externalEtcdCheck.check(plane, facts)).toHaveLength(refused ? 1 : 0);
  expect(externalEtcdCheck.check(worker, facts)).toEqual([]);
  const found = externalEndpointsCheck.check({ cluster: clusterOf(), facts: new Map([[plane.name, facts]]) });
  expect(found.map(({ detail }) => detail)).toEqual(warnings.map((text) => expect.stringContaining(text)));
});
