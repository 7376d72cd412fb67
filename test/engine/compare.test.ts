import { describe, expect, it } from 'vitest';
import { compare, toPlan } from '../../src/engine/compare.js';
import { isEmpty } from '../../src/engine/plan.js';
import { kindOf } from '../../src/resources/registry.js';
import type { Resource } from '../../src/resources/resource.js';
import { clusterOf } from '../support/cluster.js';
import { contextOf } from '../support/site.js';
import { hostPhases, phase } from './engine-harness.js';

const cluster = clusterOf();
const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'b' }, data: { c: 'd' } };
const objects: Resource = { kind: 'object', name: 'some', kubeconfig: '/admin.conf', objects: [object] };
const live = JSON.stringify({ ...object, data: { c: 'other' } });

const compared = (resource: Resource, output: string) => {
  const runHosts = [hostPhases(cluster.hosts[0], phase('one', [resource]))];
  const results = new Map([[kindOf(resource).query(resource), { code: 0, output }]]);
  const byHost = new Map([[cluster.hosts[0]?.name ?? '', results]]);
  const work = compare(runHosts, {
    context: contextOf(cluster),
    results: byHost,
    unreachable: new Map(),
    leftovers: new Map(),
  });
  return { plan: toPlan('apply', cluster.name, work), changes: work[0]?.phases[0]?.changes ?? [] };
};

describe('the plan for the output of kubectl', () => {
  it.each([
    ['nothing is installed', objects, 'kbs: not installed', ['create']],
    ['none is there', objects, 'kbs: answered', ['create']],
    ['another is there', objects, `${live}\nkbs: answered`, ['update']],
    ['kubectl is refused', objects, 'kbs: not answered: refused', ['unknown']],
  ] as const)('%s', (_what, resource, output, actions) => {
    const { changes, plan } = compared(resource, output);
    expect(changes.map(({ change }) => change.action)).toEqual(actions);
    expect(isEmpty(plan)).toBe(false);
  });

  it('has for an unknown change its reason and the whole desired state, and its steps apply all of it', () => {
    const [unknown] = compared(objects, 'kbs: not answered: refused').changes;
    const [create] = compared(objects, 'kbs: answered').changes;
    expect(unknown?.change).toEqual({ ...create?.change, action: 'unknown', reason: 'refused' });
    expect(unknown?.steps).toEqual(create?.steps);
  });
});
