import type { AbsentResource, Kind, Resource } from './resource.js';

/**
 * Something that an earlier choice put there and the present one has no use for. Whether it is kbs's to take away is
 * the knowledge of its own kind, which `kindOf` gives: where that has nothing to undo, it is somebody else's.
 */
export const absent = (kindOf: (resource: Resource) => Kind<Resource>): Kind<AbsentResource> => ({
  kind: 'absent',
  id: ({ resource }) => `${resource.kind} ${kindOf(resource).id(resource)}`,
  query: ({ resource }) => kindOf(resource).query(resource),
  parse(output, { resource }) {
    const seen = kindOf(resource).parse(output, resource);
    if (seen === undefined || kindOf(resource).remove(resource, seen).length === 0) return { there: 'no' };
    return { ...seen, there: 'yes' };
  },
  desired: () => ({ there: 'no' }),
  apply: ({ resource }, seen) => kindOf(resource).remove(resource, seen ?? {}),
  remove: () => [],
});
