import { taint } from '../../src/resources/node-object.js';
import type { KubeObject } from '../../src/resources/resource.js';

/**
 * A Node after the script of a change that applies it: labels that the script's field manager applied before go unless
 * they are applied again, those of others stay, and the script's taints are set one by one.
 */
export const appliedNode = (before: KubeObject | undefined, applied: KubeObject, script: string): KubeObject => {
  const [, manager = ''] = /--field-manager=(\S+)/.exec(script) ?? [];
  const was = fieldsIn(before?.metadata);
  const managed = Array.isArray(was.managedFields) ? was.managedFields : [];
  const isOwn = (entry: unknown) => fieldsIn(entry).manager === manager;
  const labels = fieldsIn(applied.metadata.labels);
  const owned = managed.filter(isOwn).flatMap((entry) => Object.keys(labelsIn(entry)));
  const kept = Object.entries(fieldsIn(was.labels)).filter(([key]) => !owned.includes(`f:${key}`));
  const annotations = { ...fieldsIn(was.annotations), ...fieldsIn(applied.metadata.annotations) };
  const fieldsV1 = {
    'f:metadata': { 'f:labels': Object.fromEntries(Object.keys(labels).map((key) => [`f:${key}`, {}])) },
  };
  const node = {
    ...before,
    ...applied,
    metadata: {
      ...applied.metadata,
      annotations,
      labels: { ...Object.fromEntries(kept), ...labels },
      managedFields: [...managed.filter((entry) => !isOwn(entry)), { manager, operation: 'Apply', fieldsV1 }],
    },
    spec: { ...fieldsIn(before?.spec), ...fieldsIn(applied.spec) },
  };
  const wanted = taintsIn(script, applied.metadata.name);
  return wanted === undefined ? node : tainted(node, wanted);
};

const tainted = (node: KubeObject, wanted: readonly string[]): KubeObject => {
  const { 'kbs.dev/taints': recorded = '', ...annotations } = fieldsIn(node.metadata.annotations);
  const former = [...String(recorded).split(' ').filter(Boolean), ...wanted].map(identityOf);
  const { taints = [], ...spec } = fieldsIn(node.spec);
  const others = (taints as ReturnType<typeof taint>[]).filter(
    ({ key, effect }) => !former.includes(`${key}:${effect}`),
  );
  const all = [...others, ...wanted.map(taint)];
  return {
    ...node,
    metadata: {
      ...node.metadata,
      annotations: { ...annotations, ...(wanted.length > 0 ? { 'kbs.dev/taints': wanted.join(' ') } : {}) },
    },
    spec: { ...spec, ...(all.length > 0 ? { taints: all } : {}) },
  };
};

/** The taints that a script gives a Node; undefined where it does not touch them. */
const taintsIn = (script: string, node: string): readonly string[] | undefined => {
  const line = script.split('\n').find((each) => `${each} `.startsWith(`kbs_taint ${node} `));
  return line?.split(' ').slice(2).filter(Boolean);
};

const identityOf = (text: string): string => text.replace(/=[^:]*/, '');

const labelsIn = (entry: unknown): Fields =>
  fieldsIn(fieldsIn(fieldsIn(fieldsIn(entry).fieldsV1)['f:metadata'])['f:labels']);

type Fields = Readonly<Record<string, unknown>>;

const fieldsIn = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});
