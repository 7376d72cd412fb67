import { type RecordOwner, type ResourceRecord, recordOf } from '../resources/record.js';
import { kindOf, nameOf } from '../resources/registry.js';
import { type Resource, type State, Unknown } from '../resources/resource.js';

/** The records of resources that a phase is about to apply, without those that the host already has in the same words. */
export const recording = (
  owner: RecordOwner,
  resources: readonly Resource[],
  records: readonly ResourceRecord[],
): readonly string[] => {
  const known = new Set(records.map(({ line }) => line));
  return resources.flatMap((resource) => recordOf(owner, resource) ?? []).filter((line) => !known.has(line));
};

/**
 * The missing record of a resource that is as desired, if kbs applied it: its original under /var/lib/kbs/before shows that,
 * or a record under another name of the cluster. A task has no original; one with `keep` is recorded wherever it is done.
 */
export const adoption = (
  owner: RecordOwner,
  resource: Resource,
  observed: (resource: Resource) => State | Unknown | undefined,
  records: readonly ResourceRecord[],
): readonly string[] => {
  const named = records.filter(({ name }) => name === nameOf(resource));
  if (!kindOf(resource).record || named.some(({ cluster }) => cluster === owner.cluster)) return [];
  const state = observed(resource);
  const isOurs =
    named.length > 0 || (!(state instanceof Unknown) && (state?.touched === 'yes' || isKeptTask(resource, state)));
  return isOurs ? recording(owner, [resource], records) : [];
};

const isKeptTask = (resource: Resource, seen: State | undefined): boolean =>
  resource.kind === 'task' && resource.keep !== undefined && seen?.done === 'yes';
