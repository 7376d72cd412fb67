import { expect, it, test } from 'vitest';
import type { ClusterHost, Role } from '../../../src/inventory/cluster.js';
import { parseAssignment } from '../../../src/network/assignment.js';
import { nodes } from '../../../src/phases/cluster/nodes.js';
import type { KubeObject } from '../../../src/resources/resource.js';
import { clusterOf } from '../../support/cluster.js';
import { contextOf } from '../../support/site.js';

const cluster = clusterOf();

/** The objects of a run that is about these hosts. */
const objectsFor = (subjects: readonly ClusterHost[]): readonly KubeObject[] =>
  cluster.hosts
    .flatMap((host) => nodes.resources(host, { ...contextOf(cluster), targetNodes: subjects }))
    .flatMap((resource) => (resource.kind === 'object' ? resource.objects : []))
    .slice(0, subjects.length + 1);

it('a join applies the plan of the whole cluster, and of nodes only those that join', () => {
  const joining = cluster.hosts.filter(({ name }) => name === 'worker-rack-00');
  const [plan, ...others] = objectsFor(joining);
  expect(others.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(['Node worker-rack-00']);
  expect(plan?.metadata).toEqual({ namespace: 'kube-system', name: 'kbs' });
  expect(parseAssignment(Object(plan?.data)['pod-cidrs.json'])).toEqual({
    segments: { office: '10.244.0.0/18', rack: '10.244.64.0/18' },
    hosts: {
      'controller-00': '10.244.0.0/24',
      'worker-office-00': '10.244.1.0/24',
      'worker-rack-00': '10.244.64.0/24',
    },
  });
});

it('the plan does not change with the order of the inventory', () => {
  const turned = clusterOf({ hosts: cluster.hosts.toReversed() });
  const planOf = (one: typeof cluster) =>
    one.hosts
      .flatMap((host) => nodes.resources(host, contextOf(one)))
      .flatMap((resource) => (resource.kind === 'object' ? resource.objects.slice(0, 1) : []))[0];
  expect(planOf(turned)).toEqual(planOf(cluster));
});

it('a run without target nodes applies no objects', () => {
  expect(objectsFor([])).toEqual([]);
});

test.each<[readonly Role[], boolean]>([
  [['worker'], false],
  [['control-plane'], true],
  [['control-plane', 'worker'], false],
])('a node of the roles %j is kept out of load balancers: %s', (roles, isOut) => {
  const [first, ...others] = cluster.hosts;
  const hosts = [...(first ? [{ ...first, roles }] : []), ...others];
  const key = 'node.kubernetes.io/exclude-from-external-load-balancers';
  const [, node] = objectsFor(hosts.slice(0, 1));
  expect(Object.keys(node?.metadata.labels ?? {}).includes(key)).toBe(isOut);
});
