import type { Change, HostPlan, Plan } from '../../../src/engine/plan.js';

export const create = (kind: string, id: string, wanted: Readonly<Record<string, string>> = {}): Change => ({
  kind,
  id,
  action: 'create',
  differences: Object.entries(wanted).map(([aspect, text]) => ({ aspect, wanted: text })),
});

export const update = (kind: string, id: string, aspect: string, is: string, wanted: string): Change => ({
  kind,
  id,
  action: 'update',
  differences: [{ aspect, is, wanted }],
});

export const unknown = (kind: string, id: string, reason: string): Change => ({
  kind,
  id,
  action: 'unknown',
  differences: [{ aspect: 'ConfigMap/a', wanted: 'data:\n  b: c\n' }],
  reason,
});

export const remove = (kind: string, id: string): Change => ({
  kind,
  id,
  action: 'remove',
  differences: [{ aspect: 'content', is: 'old\ntext\n' }],
});

export const hostPlan = (host: string, phases: Readonly<Record<string, readonly Change[]>>): HostPlan => ({
  host,
  phases: Object.entries(phases).map(([phase, changes]) => ({ phase, changes })),
});

export const planOf = (...hosts: readonly HostPlan[]): Plan => ({ workflow: 'init', cluster: 'hybrid', hosts });
