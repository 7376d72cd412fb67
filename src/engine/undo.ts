import { Failure } from '../failure.js';
import { raw, type Script, sh } from '../hosts/shell.js';
import type { Cluster, ClusterHost } from '../inventory/cluster.js';
import type { Phase } from '../phases/phase.js';
import { recordsPath, removeRecords } from '../resources/record.js';
import { kindOf } from '../resources/registry.js';
import { type Resource, type State, type Step, step, type UnitResource, Unknown } from '../resources/resource.js';
import { restartReplacedUnit } from '../resources/unit.js';
import { stateOf } from './compare.js';
import type { PhaseSteps, PlannedChange } from './executable-plan.js';
import { type Leftovers, noLeftovers } from './leftovers.js';
import { type HostPhases, type Observation, resourcesOf } from './observe.js';
import type { Change } from './plan.js';

/**
 * A host with its phases in the form in which it is observed in order to undo them. `phases` are all phases of kbs: one
 * that does not apply to the host may have done so earlier; if records on the host name it, its leftovers and those of its
 * programs are removed too.
 */
export const hostForUndo = (host: ClusterHost, cluster: Cluster, phases: readonly Phase[]): HostPhases => {
  const all = phases.map((phase) => (phase.appliesTo(host, cluster) ? forUndo(phase) : forCleanup(phase)));
  return { host, phases: all.filter((phase) => phase.appliesTo(host, cluster)), all };
};

const forCleanup = ({ name, ensures, cleanup }: Phase): Phase => ({
  name,
  ensures,
  appliesTo: () => false,
  resources: () => [],
  ...(cleanup ? { cleanup } : {}),
});

/**
 * A phase without gates and dependencies, which undoing does not need, and without Kubernetes objects and releases: they belong to the
 * cluster and stay when a host leaves it.
 */
const forUndo = ({ name, ensures, appliesTo, resources, cleanup }: Phase): Phase => ({
  name,
  ensures,
  appliesTo,
  resources: (host, context) => resources(host, context).filter(isOnHost),
  ...(cleanup ? { cleanup } : {}),
});

const isOnHost = ({ kind }: Resource): boolean => kind !== 'object' && kind !== 'release';

/**
 * The steps that bring a host back to the state in which kbs found it, in this order: stop all programs; remove what is
 * recorded and no phase desires any more; then for each phase, last one first, remove its resources, restore the originals
 * and remove what its programs left; last, delete kbs's own state. Resources that kbs did not change are not touched. Pure;
 * for a host from `hostForUndo`. Throws a Failure where a query failed or a record is not understood: such a resource would
 * stay on the host while its record is deleted.
 */
export const undo = (hostPhases: HostPhases, { context, results, leftovers }: Observation): readonly PhaseSteps[] => {
  const { resources: left, unknown } = leftovers.get(hostPhases.host.name) ?? noLeftovers;
  refuseUnknown(hostPhases, unknown);
  const hostResults = results.get(hostPhases.host.name) ?? new Map();
  const removalOf = (resource: Resource) => removal(resource, stateOf(resource, hostResults, hostPhases));
  const done = [...resourcesOf(hostPhases, context)].toReversed();
  const undone = done.map(([phase, resources]) =>
    stepsOf(phase, [
      ...resources.toReversed().flatMap(removalOf),
      ...script('leftovers', phase, phase.cleanup?.(hostPhases.host, context).remove),
    ]),
  );
  const former = (hostPhases.all ?? [])
    .filter((phase) => !hostPhases.phases.includes(phase) && left.some(({ record }) => record.phase === phase.name))
    .toReversed();
  const pruned = [
    ...left.toReversed().flatMap(({ resource }) => removalOf(resource)),
    ...former.flatMap((phase) => script('leftovers', phase, phase.cleanup?.(hostPhases.host, context).remove)),
  ];
  const stops = [...former, ...done.map(([phase]) => phase)].flatMap((phase) =>
    script('processes', phase, phase.cleanup?.(hostPhases.host, context).stop),
  );
  const units = [...done.flatMap(([, resources]) => resources), ...left.map(({ resource }) => resource)].filter(
    (resource) => resource.kind === 'unit',
  );
  return [
    stepsOf(stopPhase, stops),
    stepsOf(prunePhase, pruned),
    ...undone,
    stepsOf(cleanUpPhase, [cleanUpState(units, context.cluster.name)]),
  ].filter(({ changes }) => changes.length > 0);
};

/** What `undo` cannot remove, a sentence each. */
export const undoNotes = ({ host }: HostPhases, { leftovers }: Observation): readonly string[] => {
  const { foreign, damaged } = leftovers.get(host.name) ?? noLeftovers;
  return [
    ...foreign.map((name) => `records of cluster ${name} stay, with what they name`),
    ...damaged.map(({ name }) => `${name} is damaged: what it named may stay`),
  ];
};

const refuseUnknown = ({ host }: HostPhases, [first]: Leftovers['unknown']): void => {
  if (first === undefined) return;
  throw new Failure('refused', `this version of kbs does not know how to remove ${first.name}`, {
    where: { host: host.name, resource: first.name },
    why: [`${recordsPath} names it`],
    next: 'run the same command with the version of kbs that made it',
  });
};

/** The names of the phases of `undo`, in its order, for the outline of a run. */
export const undoNames = (phases: readonly Phase[]): readonly string[] => [
  stopPhase.name,
  ...phases.toReversed().map(({ name }) => name),
  cleanUpPhase.name,
];

/** A phase without resources, whose name and purpose stand in plans and events for changes from elsewhere. */
export const emptyPhase = (name: string, ensures: string): Phase => ({
  name,
  ensures,
  appliesTo: () => true,
  resources: () => [],
});

const stopPhase = emptyPhase('stop', 'nothing of the cluster runs on the host');
const prunePhase = emptyPhase('prune', 'the host holds nothing of kbs that no phase wants');
const cleanUpPhase = emptyPhase('clean-up-state', 'no record of kbs is left on the host');

const stepsOf = (phase: Phase, changes: readonly PlannedChange[]): PhaseSteps => ({
  phase: emptyPhase(phase.name, phase.ensures),
  changes,
  gates: [],
  waitOnly: false,
});

/** An unknown state needs no removal: images go with containerd's directory, and nftables tables with the next boot. */
const removal = (resource: Resource, observed: State | Unknown | undefined): readonly PlannedChange[] => {
  const kind = kindOf(resource);
  return observed === undefined || observed instanceof Unknown
    ? []
    : change(resource.kind, kind.id(resource), kind.remove(resource, observed));
};

const script = (kind: string, phase: Phase, text: Script | undefined): readonly PlannedChange[] =>
  text === undefined ? [] : change(kind, phase.name, [step(sh`(\n${raw(text)}\n) </dev/null`)]);

const change = (kind: string, id: string, steps: readonly Step[]): readonly PlannedChange[] => {
  if (steps.length === 0) return [];
  const change: Change = { kind, id, action: 'remove', differences: [] };
  return [{ change, steps }];
};

/**
 * Restarts the units that ran before kbs replaced them, and deletes kbs's state on the host. A copy of an original that no
 * phase restored stays under /var/lib/kbs/before; only the markers of paths where nothing lay before kbs are deleted, and
 * not while records of another cluster need them.
 */
const cleanUpState = (units: readonly UnitResource[], cluster: string): PlannedChange => ({
  change: { kind: 'directory', id: '/var/lib/kbs', action: 'remove', differences: [] },
  steps: [
    ...units.map((unit) => step(restartReplacedUnit(unit))),
    step(sh`${raw(removeRecords(cluster))}
[ -e ${recordsPath} ] || rm -rf /var/lib/kbs/before/*.none
rm -rf /var/lib/kbs/stamps /var/lib/kbs/import /var/lib/kbs/downloads
rmdir /var/lib/kbs/before /var/lib/kbs 2>/dev/null || :
rm -f /run/kbs.lock`),
  ],
});
