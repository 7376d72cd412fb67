import { describe, expect, it, test } from 'vitest';
import { type Budget, type Pod, podsToEvict } from '../../src/kubernetes/evictable-pods.js';

const pod = (more: Partial<Pod['metadata']> = {}, phase = 'Running'): Pod => ({
  metadata: {
    name: 'web-1',
    namespace: 'shop',
    labels: { app: 'web', tier: 'front' },
    ownerReferences: [{ kind: 'ReplicaSet', controller: true }],
    ...more,
  },
  status: { phase },
});

const budget = (selector: Budget['spec']['selector'], allowed = 0, namespace = 'shop'): Budget => ({
  metadata: { name: 'web', namespace },
  spec: selector === undefined ? {} : { selector },
  status: { disruptionsAllowed: allowed, currentHealthy: 2, desiredHealthy: 2 },
});

const held = 'the PodDisruptionBudget shop/web (it wants 2 healthy pods and has 2) lets shop/web-1 go';
const free = 'shop/web-1 is evicted';

describe('pods that must leave a node', () => {
  test.each([
    ['of a Deployment', pod(), 1],
    ['without an owner', pod({ ownerReferences: [] }), 1],
    ['of a DaemonSet', pod({ ownerReferences: [{ kind: 'DaemonSet', controller: true }] }), 0],
    ['of the kubelet itself', pod({ annotations: { 'kubernetes.io/config.mirror': 'x' } }), 0],
    ['that have ended well', pod({}, 'Succeeded'), 0],
    ['that have failed', pod({}, 'Failed'), 0],
    ['that wait for an image', pod({}, 'Pending'), 1],
  ])('are those %s: %#', (_, one, count) => {
    expect(podsToEvict([one], [])).toHaveLength(count);
  });

  it('are alone where no controller makes them again', () => {
    const owned = pod({ ownerReferences: [{ kind: 'Something', controller: false }] });
    expect(podsToEvict([pod(), owned], []).map(({ unmanaged }) => unmanaged)).toEqual([false, true]);
  });
});

describe('budgets that never let a pod go', () => {
  const wanting = (desiredHealthy: number, expectedPods: number): Budget => ({
    ...budget({}),
    status: { disruptionsAllowed: 0, currentHealthy: 2, desiredHealthy, expectedPods },
  });

  test.each([
    ['one that wants all of its pods healthy', wanting(2, 2), 1],
    ['one that wants more than it has', wanting(3, 2), 1],
    ['not one that waits for a pod to become healthy', wanting(2, 3), 0],
    ['not one that selects no pod now', wanting(0, 0), 0],
    ['not one for other pods', { ...wanting(2, 2), spec: { selector: { matchLabels: { app: 'db' } } } }, 0],
  ])('are told before a drain: %s', (_, one, count) => {
    expect(podsToEvict([pod()], [one]).flatMap(({ blockedBy }) => blockedBy)).toHaveLength(count);
  });
});

describe('the reason why a pod is still there', () => {
  test.each([
    ['a budget that is used up', [budget({ matchLabels: { app: 'web' } })], held],
    ['a budget with room', [budget({ matchLabels: { app: 'web' } }, 1)], free],
    ['a budget of another namespace', [budget({ matchLabels: { app: 'web' } }, 0, 'other')], free],
    ['a budget for other pods', [budget({ matchLabels: { app: 'db' } })], free],
    ['a budget for all pods', [budget({})], held],
    ['a budget without a selector, which holds none', [budget(undefined)], free],
    ['labels in a set', [budget({ matchExpressions: [{ key: 'tier', operator: 'In', values: ['front'] }] })], held],
    [
      'labels out of a set',
      [budget({ matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['front'] }] })],
      free,
    ],
    ['a label that exists', [budget({ matchExpressions: [{ key: 'tier', operator: 'Exists' }] })], held],
    ['a label that must not', [budget({ matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] })], free],
  ])('names %s', (_, budgets, until) => {
    expect(podsToEvict([pod()], budgets).map((one) => one.waitsUntil)).toEqual([until]);
  });

  it('is its own end, once it has been asked to end', () => {
    const ending = pod({ deletionTimestamp: '2026-11-21T09:00:00Z' });
    expect(podsToEvict([ending], [budget({})]).map(({ waitsUntil }) => waitsUntil)).toEqual(['shop/web-1 has ended']);
  });
});
