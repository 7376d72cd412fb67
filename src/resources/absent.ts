import { type AbsentResource, type Kind, type Resource, Unknown } from './resource.js';

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
    if (seen instanceof Unknown) return seen;
    if (seen === undefined || kindOf(resource).remove(resource, seen).length === 0) return { there: 'no' };
    return { ...seen, there: 'yes' };
  },
  desired: () => ({ there: 'no' }),
  // Where it is unknown what is there, all of it may be.
  apply: ({ resource }, seen) => kindOf(resource).remove(resource, seen ?? kindOf(resource).desired(resource)),
  remove: () => [],
});
