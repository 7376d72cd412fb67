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

/** What kbs once put on a host, or through it into the cluster, and what no phase of the host wants any more. */
export interface Leftovers {
  /** In the order in which they were made. */
  readonly resources: readonly Leftover[];
  readonly objects: readonly ObjectResource[];
  /** Records that this version of kbs does not understand: they stay, with what they stand for. */
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
  /** A directory in which something wanted lies. */
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

/** What is asked of a host, with everything else, so that its leftovers are known. */
export const leftoverQuestions = ({ phases, all }: HostPhases): readonly BatchQuery[] => [
  { name: 'records', script: printRecords },
  ...(all === undefined ? [] : kubeconfigsOf(phases)).map((kubeconfig) => ({
    name: 'object sets',
    script: printObjectSets(kubeconfig),
  })),
];

const kubeconfigsOf = (phases: readonly Phase[]): readonly string[] =>
  phases.flatMap(({ prunes }) => (prunes && 'objectsThrough' in prunes ? [prunes.objectsThrough] : []));

/** A host's records, the first made first. */
export const recordsIn = (answers: QueryResults): readonly ResourceRecord[] => {
  const answer = answers.get(printRecords);
  return answer?.code === 0 ? parseRecords(answer.output) : [];
};

/**
 * Compares the records with what all phases of the host want, by everything that a resource stands for: so what another
 * phase wants now stays, and so does a file that has become a program. Nothing is a leftover where not all phases of the
 * host are given, or where its facts, on which it depends what they want, could not be read.
 */
export const leftoversOf = (hostPhases: HostPhases, context: PhaseContext, answers: QueryResults): Leftovers => {
  const { host, phases, all } = hostPhases;
  const isOurs = ({ cluster = context.cluster.name }: ResourceRecord) => cluster === context.cluster.name;
  const recorded = recordsIn(answers);
  const records = recorded.filter(isOurs);
  const foreign = [...new Set(recorded.flatMap((record) => (isOurs(record) ? [] : (record.cluster ?? []))))];
  const sets = kubeconfigsOf(phases).flatMap((kubeconfig) =>
    parseObjectSets(answers.get(printObjectSets(kubeconfig))?.output ?? '', kubeconfig),
  );
  if (all === undefined || answers.get(factsScript)?.code !== 0) return noLeftovers;
  if (records.length + sets.length === 0) return { ...noLeftovers, foreign };
  const claims = new Set(all.flatMap((phase) => phase.resources(host, context)).flatMap(claimsOf));
  return {
    resources: records.flatMap((record) => {
      const resource = record.resource && unclaimed(record.resource, claims);
      return resource ? [{ record, resource, inUse: holdsWanted(resource, claims) }] : [];
    }),
    objects: sets.filter((set) => !claims.has(nameOf(set))),
    unknown: records.filter(({ resource, damaged }) => resource === undefined && !damaged),
    damaged: records.filter(({ damaged }) => damaged),
    foreign,
    holdsMember: context.facts(host.name).etcdMember && !all.some(({ name }) => name === 'etcd'),
  };
};

/** What is left of a resource without all that others stand for; `undefined` where nothing is, or where it has no parts. */
const unclaimed = (resource: Resource, claims: ReadonlySet<string>): Resource | undefined => {
  if (claims.has(nameOf(resource))) return undefined;
  const kind = kindOf(resource);
  if (kind.without) return kind.without(resource, (name) => claims.has(name));
  return claimsOf(resource).some((name) => claims.has(name)) ? undefined : resource;
};

const holdsWanted = (resource: Resource, claims: ReadonlySet<string>): boolean =>
  resource.kind === 'directory' && [...claims].some((name) => name.startsWith(`${pathClaim(resource.path)}/`));

/** What follows for one host. */
export interface Pruning {
  /** By the phase that removes them, in their order. */
  readonly removals: ReadonlyMap<Phase, readonly PlannedChange[]>;
  /** Records without a thing. */
  readonly stale: readonly ResourceRecord[];
  /** Steps that clear kbs's notes of what a person has deleted. */
  readonly forgotten: PlannedChange['steps'];
  /** What stays, and why, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Which phase removes what, last made first. Pure. `see` gives what was seen of a resource, and throws where it failed. What
 * is unknown, as images are while containerd is down, stays with its record for a later run. The rest, and objects, are
 * pruned only in a run of all phases of the host: phases that are left out may still have to replace what uses them. For
 * the same reason objects stay where a host is absent from the run whose phase must be done before, and what a phase left
 * stays where every host is absent that has the phase instead.
 */
export const pruningOf = (
  { host, phases, all = [] }: HostPhases,
  { resources, objects, unknown, damaged, foreign, holdsMember }: Leftovers,
  see: (resource: Resource) => State | Unknown | undefined,
  { after, isPresent }: Predecessors,
): Pruning => {
  const known = resources
    .filter(({ inUse }) => !inUse)
    .flatMap(({ record, resource }) => {
      const seen = see(resource);
      if (seen instanceof Unknown) return [];
      const pruned = asPruned(resource);
      const steps = seen === undefined ? [] : kindOf(pruned).remove(pruned, seen);
      return [{ record, pruned, steps, isGone: steps.length === 0 || (seen !== undefined && isGone(pruned, seen)) }];
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
        ({ name }) => `object ${name} stays: ${absent.join(', ')} must first be done and is not in this run`,
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
            `what is left of ${each.record.phase} stays: first one of ${successors(each).join(', ')} must have it, and none is in this run`,
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

/** On a host that stays, what others have put into a directory of kbs's stays too, and so does the directory then. */
const asPruned = (resource: Resource): Resource =>
  resource.kind === 'directory' ? { ...resource, shared: true } : resource;

/** Of a path where nothing is and nothing was before kbs, only kbs's own note is left. */
const isGone = ({ kind }: Resource, seen: State): boolean =>
  ['file', 'zone', 'directory', 'binary'].includes(kind) && Object.keys(seen).join() === 'touched';

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
  const seen = Object.fromEntries(set.objects.map((one) => [keyOf(one), 'there']));
  return { change: removal(set), steps: kindOf(set).remove(set, seen) };
};

/** Records of what a phase is about to make or change, but for those that are there already, word for word. */
export const recording = (
  owner: RecordOwner,
  resources: readonly Resource[],
  records: readonly ResourceRecord[],
): readonly string[] => {
  const known = new Set(records.map(({ line }) => line));
  return resources.flatMap((resource) => recordOf(owner, resource) ?? []).filter((line) => !known.has(line));
};

/**
 * The record of a resource that is as wanted and that kbs made: as the note beside its original tells, or a record under
 * another name of the cluster. A task leaves no note, and one whose loss would hurt is recorded wherever it is done.
 */
export const adoption = (
  owner: RecordOwner,
  resource: Resource,
  see: (resource: Resource) => State | Unknown | undefined,
  records: readonly ResourceRecord[],
): readonly string[] => {
  const named = records.filter(({ name }) => name === nameOf(resource));
  if (!kindOf(resource).record || named.some(({ cluster }) => cluster === owner.cluster)) return [];
  const seen = see(resource);
  const isOurs =
    named.length > 0 || (!(seen instanceof Unknown) && (seen?.touched === 'yes' || isKeptTask(resource, seen)));
  return isOurs ? recording(owner, [resource], records) : [];
};

const isKeptTask = (resource: Resource, seen: State | undefined): boolean =>
  resource.kind === 'task' && resource.keep !== undefined && seen?.done === 'yes';
