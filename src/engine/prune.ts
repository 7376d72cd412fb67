import { factsScript } from '../hosts/facts/script.js';
import { lines, type Script } from '../hosts/shell.js';
import type { Phase, PhaseContext, PhaseReference } from '../phases/phase.js';
import { removeStamp } from '../resources/binary.js';
import { keyOf } from '../resources/kube-object.js';
import { parseObjectSets, printObjectSets } from '../resources/object-sets.js';
import { forgetMissing, pathClaim } from '../resources/original.js';
import {
  parseRecords,
  printRecords,
  type RecordOwner,
  type ResourceRecord,
  recordOf,
  updateRecords,
} from '../resources/record.js';
import { claimsOf, kindOf, nameOf } from '../resources/registry.js';
import { type ObjectResource, type Resource, type State, step, Unknown } from '../resources/resource.js';
import type { PlannedChange } from './executable-plan.js';
import type { HostPhases } from './host-phases.js';
import type { Change } from './plan.js';
import type { BatchQuery, QueryResults } from './query-batch.js';

/** What kbs once applied on a host, or through it to the cluster, and no phase of the host desires any more. */
export interface Leftovers {
  /** In the order in which they were first applied. */
  readonly resources: readonly Leftover[];
  readonly objects: readonly ObjectResource[];
  /** Records that this version of kbs does not understand; they stay, and so do their resources. */
  readonly unknown: readonly ResourceRecord[];
  readonly damaged: readonly ResourceRecord[];
  /** Names of other clusters that have records there. */
  readonly foreign: readonly string[];
  /** Whether data of etcd lie on a host that is no control plane: its member may still vote, whatever is recorded. */
  readonly holdsMember: boolean;
}

export interface Leftover {
  readonly record: ResourceRecord;
  readonly resource: Resource;
  /** Whether it is a directory that holds a resource which a phase desires. */
  readonly inUse: boolean;
}

export const noLeftovers: Leftovers = {
  resources: [],
  objects: [],
  unknown: [],
  damaged: [],
  foreign: [],
  holdsMember: false,
};

/** The queries, in addition to those of resources, from which `leftoversOf` finds a host's leftovers. */
export const leftoverQueries = ({ phases, all }: HostPhases): readonly BatchQuery[] => [
  { name: 'records', script: printRecords },
  ...(all === undefined ? [] : kubeconfigsOf(phases)).map((kubeconfig) => ({
    name: 'object sets',
    script: printObjectSets(kubeconfig),
    callsApi: true as const,
  })),
];

const kubeconfigsOf = (phases: readonly Phase[]): readonly string[] =>
  phases.flatMap(({ prunes }) => (prunes && 'objectsThrough' in prunes ? [prunes.objectsThrough] : []));

/** A host's records, in the order in which the resources were first applied. */
export const recordsIn = (results: QueryResults): readonly ResourceRecord[] => {
  const result = results.get(printRecords);
  return result?.code === 0 ? parseRecords(result.output) : [];
};

/**
 * The recorded resources that no phase of the host desires. Resources are compared by their claims, such as paths: one that
 * has moved to another phase is no leftover, nor is a file that has become a binary. There are no leftovers where
 * `hostPhases.all` is absent, or where the host's facts, from which the desired resources follow, could not be read.
 */
export const leftoversOf = (hostPhases: HostPhases, context: PhaseContext, results: QueryResults): Leftovers => {
  const { host, phases, all } = hostPhases;
  const isOurs = ({ cluster = context.cluster.name }: ResourceRecord) => cluster === context.cluster.name;
  const recorded = recordsIn(results);
  const records = recorded.filter(isOurs);
  const foreign = [...new Set(recorded.flatMap((record) => (isOurs(record) ? [] : (record.cluster ?? []))))];
  const sets = kubeconfigsOf(phases).flatMap((kubeconfig) =>
    parseObjectSets(results.get(printObjectSets(kubeconfig))?.output ?? '', kubeconfig),
  );
  if (all === undefined || results.get(factsScript)?.code !== 0) return noLeftovers;
  if (records.length + sets.length === 0) return { ...noLeftovers, foreign };
  const claims = new Set(all.flatMap((phase) => phase.resources(host, context)).flatMap(claimsOf));
  return {
    resources: records.flatMap((record) => {
      const resource = record.resource && unclaimed(record.resource, claims);
      return resource ? [{ record, resource, inUse: holdsClaimed(resource, claims) }] : [];
    }),
    objects: sets.filter((set) => !claims.has(nameOf(set))),
    unknown: records.filter(({ resource, damaged }) => resource === undefined && !damaged),
    damaged: records.filter(({ damaged }) => damaged),
    foreign,
    holdsMember: context.facts(host.name).etcdMember && !all.some(({ name }) => name === 'etcd'),
  };
};

/** The resource without the parts that desired resources claim; `undefined` where no part is left, or where it has none. */
const unclaimed = (resource: Resource, claims: ReadonlySet<string>): Resource | undefined => {
  if (claims.has(nameOf(resource))) return undefined;
  const kind = kindOf(resource);
  if (kind.without) return kind.without(resource, (name) => claims.has(name));
  return claimsOf(resource).some((name) => claims.has(name)) ? undefined : resource;
};

const holdsClaimed = (resource: Resource, claims: ReadonlySet<string>): boolean =>
  resource.kind === 'directory' && [...claims].some((name) => name.startsWith(`${pathClaim(resource.path)}/`));

/** What pruning does on one host. */
export interface Pruning {
  /** By the phase that removes them, in the order of removal. */
  readonly removals: ReadonlyMap<Phase, readonly PlannedChange[]>;
  /** Records whose resource does not exist any more. */
  readonly stale: readonly ResourceRecord[];
  /** Steps that delete the originals' markers of resources that were deleted by hand. */
  readonly forgotten: PlannedChange['steps'];
  /** What stays, with the reason, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Which phase removes which leftovers, last applied first. Pure. `observed` gives the state of a resource, and throws where
 * its query failed. A resource in an unknown state, such as an image while containerd is down, stays with its record for a
 * later run. Objects, and what the phase with `prunes: { of: 'rest' }` removes, are pruned only in a run of all phases of the
 * host: a phase that is left out may still use them. For the same reason objects stay where a host whose phase must be done
 * before is not in the run, and leftovers of a phase stay where no host that has the phase now is in the run.
 */
export const pruningOf = (
  { host, phases, all = [] }: HostPhases,
  { resources, objects, unknown, damaged, foreign, holdsMember }: Leftovers,
  observed: (resource: Resource) => State | Unknown | undefined,
  { after, isPresent }: Predecessors,
): Pruning => {
  const known = resources
    .filter(({ inUse }) => !inUse)
    .flatMap(({ record, resource }) => {
      const state = observed(resource);
      if (state instanceof Unknown) return [];
      const pruned = asPruned(resource);
      const steps = state === undefined ? [] : kindOf(pruned).remove(pruned, state);
      return [{ record, pruned, steps, isGone: steps.length === 0 || (state !== undefined && isGone(pruned, state)) }];
    });
  const gone = known.filter((each) => each.isGone);
  const there = known.filter((each) => !each.isGone);
  const named = ({ phase }: ResourceRecord) =>
    all.find(({ prunes }) => prunes && 'of' in prunes && prunes.of !== 'rest' && prunes.of.includes(phase));
  const unnamed = there.filter(({ record }) => !named(record));
  const kept = unnamed.filter(({ record }) => record.keep).map(({ record: { name } }) => `${name} stays`);
  const holds = kept.length === 0 && unnamed.length > 0 && holdsMember ? ['data of etcd stay'] : kept;
  const successors = ({ record }: { readonly record: ResourceRecord }): readonly string[] => {
    const phase = named(record);
    return (phase ? after(phase) : []).filter((each) => each.phase === record.phase).map((each) => each.host);
  };
  const awaiting = there.filter((each) => successors(each).length > 0 && !successors(each).some(isPresent));
  const absent = phases
    .flatMap((phase) => (phase.prunes && 'objectsThrough' in phase.prunes ? after(phase) : []))
    .flatMap((each) => (isPresent(each.host) ? [] : [each.host]));
  const isWhole = all.every((phase) => phases.includes(phase));
  const rest =
    isWhole && awaiting.length + holds.length === 0
      ? all.find(({ prunes }) => prunes && 'of' in prunes && prunes.of === 'rest')
      : undefined;
  const removals = new Map<Phase, readonly PlannedChange[]>();
  for (const phase of phases) {
    const { prunes } = phase;
    if (prunes === undefined) continue;
    if ('objectsThrough' in prunes) removals.set(phase, isWhole && absent.length === 0 ? objects.map(deletion) : []);
    else {
      const own = there
        .filter((each) => !awaiting.includes(each) && (named(each.record) ?? rest)?.name === phase.name)
        .toReversed();
      removals.set(
        phase,
        own.map(({ pruned, steps }, index) => ({
          change: removal(pruned),
          steps: index < own.length - 1 ? steps : [...steps, dropped(own.map(({ record }) => record))],
        })),
      );
    }
  }
  return {
    removals,
    stale: gone.map(({ record }) => record),
    forgotten: gone.flatMap(({ pruned, steps }) => (steps.length > 0 ? [step(forgotten(pruned))] : [])),
    notes: [
      ...(isWhole && absent.length > 0 ? objects : []).map(
        ({ name }) => `object ${name} stays: it is deleted in a run that includes ${absent.join(', ')}`,
      ),
      ...foreign.map(
        (name) =>
          `records of cluster ${name} are here: kbs takes over what this cluster wants too and leaves the rest; two clusters cannot share a host`,
      ),
      ...damaged.map(({ name }) => `${name} is damaged: delete that line`),
      ...unknown.map(({ name }) => `${name} stays: this version of kbs does not know what its record says`),
      ...new Set(
        awaiting.map(
          (each) =>
            `leftovers of phase ${each.record.phase} stay: that phase must first be done on ${successors(each).join(' or ')}, and none of them is in this run`,
        ),
      ),
      ...holds.map(
        (stays) => `${stays}, with all that is left over: first run kbs remove ${host.name}, then add it again`,
      ),
    ],
  };
};

/** What the phases that prune wait for. */
export interface Predecessors {
  after(phase: Phase): readonly PhaseReference[];
  /** Whether a host is in the run and was observed. */
  isPresent(host: string): boolean;
}

/** On a host that stays in the cluster, a directory that holds files of other programs is not removed. */
const asPruned = (resource: Resource): Resource =>
  resource.kind === 'directory' ? { ...resource, shared: true } : resource;

/** Whether nothing is at the path, and nothing was there before kbs: only the original's marker has to be deleted. */
const isGone = ({ kind }: Resource, state: State): boolean =>
  ['file', 'zone', 'directory', 'binary'].includes(kind) && Object.keys(state).join() === 'touched';

/** The plan does not name these removals: what a person puts there after the observation is not touched. */
const forgotten = (resource: Resource): Script =>
  lines(
    ...(resource.kind === 'binary' ? [removeStamp(resource), ...(resource.links ?? []).map(forgetMissing)] : []),
    ...('path' in resource ? [forgetMissing(resource.path)] : []),
  );

const removal = (resource: Resource): Change => ({
  kind: resource.kind,
  id: kindOf(resource).id(resource),
  action: 'remove',
  differences: [],
});

const dropped = (records: readonly ResourceRecord[]) => step(updateRecords([], records));

const deletion = (set: ObjectResource): PlannedChange => {
  const state = Object.fromEntries(set.objects.map((one) => [keyOf(one), 'there']));
  return { change: removal(set), steps: kindOf(set).remove(set, state) };
};

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
