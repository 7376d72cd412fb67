import { lines, type Script } from '../hosts/shell.js';
import type { Phase, PhaseReference } from '../phases/phase.js';
import { removeStamp } from '../resources/binary.js';
import { keyOf } from '../resources/kube-object.js';
import type { Kept, Volume } from '../resources/object-sets.js';
import { forgetMissing } from '../resources/original.js';
import { type ResourceRecord, updateRecords } from '../resources/record.js';
import { kindOf, nameOf } from '../resources/registry.js';
import {
  type ObjectResource,
  type ReleaseResource,
  type Resource,
  type State,
  type Step,
  step,
  Unknown,
} from '../resources/resource.js';
import type { PlannedChange } from './executable-plan.js';
import type { HostPhases } from './host-phases.js';
import type { Leftover, Leftovers } from './leftovers.js';
import type { Change } from './plan.js';

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
 * its query failed. What stays for a later run:
 * - a resource in an unknown state, such as an image while containerd is down;
 * - objects, and what the phase with `prunes: { of: 'rest' }` removes, if the run leaves out phases of the host;
 * - objects, if the pruning phase waits for a host that is not in the run;
 * - leftovers of a phase, if none of the hosts that have the phase now is in the run.
 */
export const pruningOf = (
  hostPhases: HostPhases,
  leftovers: Leftovers,
  observed: (resource: Resource) => State | Unknown | undefined,
  predecessors: Predecessors,
): Pruning => {
  const known = leftovers.resources.filter(({ inUse }) => !inUse).flatMap((each) => removalOf(each, observed));
  const gone = known.filter(({ isGone }) => isGone);
  const there = known.filter(({ isGone }) => !isGone);
  const heldBack = heldBackOf(hostPhases, leftovers, there, predecessors);
  return {
    removals: removalsOf(hostPhases, leftovers.objects, there, heldBack),
    stale: gone.map(({ record }) => record),
    forgotten: gone.flatMap(({ pruned, steps }) => (steps.length > 0 ? [step(forgotten(pruned))] : [])),
    notes: notesOf(hostPhases, leftovers, heldBack),
  };
};

/** How a leftover would be removed. */
interface Removal {
  readonly record: ResourceRecord;
  readonly pruned: Resource;
  readonly steps: readonly Step[];
  /** Whether the resource does not exist any more. */
  readonly isGone: boolean;
}

/** None where the state is unknown. */
const removalOf = (
  { record, resource }: Leftover,
  observed: (resource: Resource) => State | Unknown | undefined,
): readonly Removal[] => {
  const state = observed(resource);
  if (state instanceof Unknown) return [];
  const pruned = asPruned(resource);
  const steps = state === undefined ? [] : kindOf(pruned).remove(pruned, state);
  return [{ record, pruned, steps, isGone: steps.length === 0 || (state !== undefined && isGone(pruned, state)) }];
};

/** What stays although it is left over. */
interface HeldBack {
  /** Whether all phases of the host are in the run. */
  readonly isWhole: boolean;
  /** Why nothing is pruned that no phase prunes by name: `task etcd-member stays`. */
  readonly holds: readonly string[];
  /** Removals that wait for one of these hosts, none of which is in the run. */
  readonly awaiting: ReadonlyMap<Removal, readonly string[]>;
  /** Hosts that objects wait for, and that are not in the run. */
  readonly absent: readonly string[];
}

const heldBackOf = (
  { phases, all = [] }: HostPhases,
  { holdsMember }: Leftovers,
  there: readonly Removal[],
  { after, isPresent }: Predecessors,
): HeldBack => {
  const unnamed = there.filter(({ record }) => !namedBy(all, record));
  const kept = unnamed.filter(({ record }) => record.keep).map(({ record: { name } }) => `${name} stays`);
  const successors = ({ record }: Removal): readonly string[] => {
    const phase = namedBy(all, record);
    return (phase ? after(phase) : []).filter((each) => each.phase === record.phase).map((each) => each.host);
  };
  return {
    isWhole: all.every((phase) => phases.includes(phase)),
    holds: kept.length === 0 && unnamed.length > 0 && holdsMember ? ['data of etcd stay'] : kept,
    awaiting: new Map(
      there
        .map((each) => [each, successors(each)] as const)
        .filter(([, hosts]) => hosts.length > 0 && !hosts.some(isPresent)),
    ),
    absent: phases
      .flatMap((phase) => (phase.prunes && 'objectsThrough' in phase.prunes ? after(phase) : []))
      .flatMap(({ host }) => (isPresent(host) ? [] : [host])),
  };
};

/** The phase that prunes the leftovers of a record's phase by name. */
const namedBy = (all: readonly Phase[], { phase }: ResourceRecord): Phase | undefined =>
  all.find(({ prunes }) => prunes && 'of' in prunes && prunes.of !== 'rest' && prunes.of.includes(phase));

const removalsOf = (
  { phases, all = [] }: HostPhases,
  objects: Leftovers['objects'],
  there: readonly Removal[],
  { isWhole, holds, awaiting, absent }: HeldBack,
): Pruning['removals'] => {
  const rest =
    isWhole && awaiting.size + holds.length === 0
      ? all.find(({ prunes }) => prunes && 'of' in prunes && prunes.of === 'rest')
      : undefined;
  const of = (phase: Phase): readonly PlannedChange[] => {
    if (phase.prunes && 'objectsThrough' in phase.prunes) {
      return isWhole && absent.length === 0 ? objects.map(deletion) : [];
    }
    const own = there
      .filter((each) => !awaiting.has(each) && (namedBy(all, each.record) ?? rest)?.name === phase.name)
      .toReversed();
    return own.map(({ pruned, steps }, index) => ({
      change: removeChange(pruned),
      steps: index < own.length - 1 ? steps : [...steps, dropped(own.map(({ record }) => record))],
    }));
  };
  return new Map(phases.filter(({ prunes }) => prunes).map((phase) => [phase, of(phase)]));
};

const notesOf = (
  { host }: HostPhases,
  { objects, kept, foreign, damaged, unknown }: Leftovers,
  { isWhole, holds, awaiting, absent }: HeldBack,
): readonly string[] => [
  ...(isWhole && absent.length > 0 ? objects : []).map(
    (one) => `${nameOf(one)} stays: it is deleted in a run that includes ${absent.join(', ')}`,
  ),
  ...(isWhole && absent.length === 0 ? objects : []).flatMap((one) =>
    one.kind === 'release' ? releaseNotes(one, kept) : [],
  ),
  ...foreign.map(
    (name) =>
      `records of cluster ${name} are here: kbs takes over what this cluster wants too and leaves the rest; two clusters cannot share a host`,
  ),
  ...damaged.map(({ name }) => `${name} is damaged: delete that line`),
  ...unknown.map(({ name }) => `${name} stays: this version of kbs does not know what its record says`),
  ...new Set(
    [...awaiting].map(
      ([{ record }, hosts]) =>
        `leftovers of phase ${record.phase} stay: that phase must first be done on ${hosts.join(' or ')}, and none of them is in this run`,
    ),
  ),
  ...holds.map((stays) => `${stays}, with all that is left over: first run kbs remove ${host.name}, then add it again`),
];

/**
 * What becomes of data when a release goes: claims beside it, volumes of a StorageClass that it made, and kinds that helm
 * keeps.
 */
const releaseNotes = (one: ReleaseResource, { volumes, kinds, isUnknown }: Kept): readonly string[] => {
  const id = kindOf(one).id(one);
  const named = (some: readonly Volume[]) =>
    some.map(({ name, namespace, claim }) => `${name} (${namespace}/${claim})`).join(', ');
  const beside = volumes.filter(({ namespace }) => namespace === one.namespace);
  const isPurged = ({ claim }: Volume) => one.purge?.claims.includes(claim) ?? false;
  const purged = beside.filter((volume) => isPurged(volume) && volume.isDeleted);
  const retained = beside.filter((volume) => isPurged(volume) && !volume.isDeleted);
  const lost = beside.filter((volume) => !isPurged(volume) && volume.isDeleted);
  const provisioned = volumes.filter((volume) => volume.release === id && !isPurged(volume));
  const left = one.purge === undefined ? kinds.filter(({ addon }) => addon === one.addon).map(({ name }) => name) : [];
  const notes: readonly (readonly [isSo: boolean, what: string])[] = [
    [isUnknown, 'cannot tell which volumes and kinds it leaves behind, so none of them is deleted'],
    [purged.length > 0, `its claims go, and the data of ${named(purged)} are lost`],
    [retained.length > 0, `its claims go; volumes that their class retains stay with their data: ${named(retained)}`],
    [lost.length > 0, `claims that Helm deletes with it take along the data of ${named(lost)}`],
    [
      provisioned.length > 0,
      `its volumes stay with their data, and are not deleted any more with their claims: ${named(provisioned)}`,
    ],
    [
      (one.purge?.kinds ?? []).length > 0,
      `the kinds that it brought go, with every object of them: ${one.purge?.kinds.join(', ')}`,
    ],
    [
      left.length > 0,
      `the kinds that it brought stay, with every object of them: ${left.join(', ')}; with --purge they go`,
    ],
  ];
  return notes.flatMap(([isSo, what]) => (isSo ? [`release ${id} goes: ${what}`] : []));
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

/** Only markers are deleted, not the resources: the plan names no removal, and the path may be in use again since. */
const forgotten = (resource: Resource): Script =>
  lines(
    ...(resource.kind === 'binary' ? [removeStamp(resource), ...(resource.links ?? []).map(forgetMissing)] : []),
    ...('path' in resource ? [forgetMissing(resource.path)] : []),
  );

const removeChange = (resource: Resource): Change => ({
  kind: resource.kind,
  id: kindOf(resource).id(resource),
  action: 'remove',
  differences: [],
});

const dropped = (records: readonly ResourceRecord[]) => step(updateRecords([], records));

const deletion = (one: ObjectResource | ReleaseResource): PlannedChange => {
  const state = one.kind === 'object' ? Object.fromEntries(one.objects.map((each) => [keyOf(each), 'there'])) : {};
  return { change: removeChange(one), steps: kindOf(one).remove(one, state) };
};
