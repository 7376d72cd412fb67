import { kindOf } from '../resources/registry.js';
import { type Resource, type State, Unknown } from '../resources/resource.js';
import type { Difference } from './plan.js';
import type { BatchQuery, QueryResults } from './query-batch.js';

/** The second queries of those resources that are there and differ, from the results of their first. */
export const previewQueries = (resources: readonly Resource[], results: QueryResults): readonly BatchQuery[] =>
  resources.flatMap((resource) => {
    const kind = kindOf(resource);
    const seen = kind.preview ? stateIn(resource, results) : undefined;
    const script = seen && differs(resource, seen) ? kind.preview?.query(resource, seen) : undefined;
    return script === undefined
      ? []
      : [{ name: `${resource.kind} ${kind.id(resource)}`, script, callsApi: true as const }];
  });

/** What they have shown; none where there was nothing to ask, or where the query failed. */
export const previewedDifferences = (resource: Resource, seen: State, results: QueryResults): readonly Difference[] => {
  const { preview } = kindOf(resource);
  const script = preview?.query(resource, seen);
  const result = script === undefined ? undefined : results.get(script);
  if (preview === undefined || result?.code !== 0) return [];
  const { is, wanted } = preview.parse(result.output, resource);
  return [...new Set([...Object.keys(is), ...Object.keys(wanted)])]
    .filter((aspect) => is[aspect] !== wanted[aspect])
    .map((aspect) => difference(aspect, is[aspect], wanted[aspect]));
};

const difference = (aspect: string, is: string | undefined, wanted: string | undefined): Difference => ({
  aspect,
  ...(is === undefined ? {} : { is }),
  ...(wanted === undefined ? {} : { wanted }),
});

const stateIn = (resource: Resource, results: QueryResults): State | undefined => {
  const kind = kindOf(resource);
  const result = results.get(kind.query(resource));
  const state = result?.code === 0 ? kind.parse(result.output, resource) : undefined;
  return state instanceof Unknown ? undefined : state;
};

const differs = (resource: Resource, seen: State): boolean =>
  Object.entries(kindOf(resource).desired(resource)).some(([aspect, value]) => seen[aspect] !== value);
