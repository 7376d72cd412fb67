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
import { type HostPhases, type Observation, resourcesOf } from './observe.js';
import type { Change } from './plan.js';
import { type Leftovers, noLeftovers } from './prune.js';

/**
 * A host as it is observed in order to undo all that kbs did there. `phases` are all phases of kbs: of those that do not
 * apply to the host, records may tell that they once did, and then what their programs left goes too.
 */
export const hostForUndo = (host: ClusterHost, cluster: Cluster, phases: readonly Phase[]): HostPhases => {
  const all = phases.map((phase) => (phase.appliesTo(host, cluster) ? forUndo(phase) : formerly(phase)));
  return { host, phases: all.filter((phase) => phase.appliesTo(host, cluster)), all };
};

const formerly = ({ name, ensures, cleanup }: Phase): Phase => ({
  name,
  ensures,
  appliesTo: () => false,
  resources: () => [],
  ...(cleanup ? { cleanup } : {}),
});

/**
 * A phase as it is observed in order to undo it: what it put on the host, and nothing to wait for. Objects stay out of
 * it: they are the cluster's, whichever host they went through.
 */
const forUndo = ({ name, ensures, appliesTo, resources, cleanup }: Phase): Phase => ({
  name,
  ensures,
  appliesTo,
  resources: (host, context) => resources(host, context).filter(isOnHost),
  ...(cleanup ? { cleanup } : {}),
});

const isOnHost = ({ kind }: Resource): boolean => kind !== 'object';

/**
 * The work that leaves a host as it was found: first everything is stopped, then what is recorded there of phases that do
 * not want it any more is removed, then phase by phase, last one first, each kind removes what it made and gives back what
 * lay there, and then what programs left goes. What was never touched is left alone. Pure; for phases that went through
 * `forUndo`, in the order in which they were done. Throws where a query failed, or where a record is not understood: what
 * was not seen would stay, and kbs's notes of it would go.
 */
export const undo = (hostPhases: HostPhases, { context, answers, leftovers }: Observation): readonly PhaseSteps[] => {
  const { resources: left, unknown } = leftovers.get(hostPhases.host.name) ?? noLeftovers;
  refuseUnknown(hostPhases, unknown);
  const seen = answers.get(hostPhases.host.name) ?? new Map();
  const done = [...resourcesOf(hostPhases, context)].toReversed();
  const works = done.map(([phase, resources]) =>
    work(phase, [
      ...resources.toReversed().flatMap((resource) => unmade(resource, stateOf(resource, seen, hostPhases))),
      ...script('leftovers', phase, phase.cleanup?.(hostPhases.host, context).remove),
    ]),
  );
  const former = (hostPhases.all ?? [])
    .filter((phase) => !hostPhases.phases.includes(phase) && left.some(({ record }) => record.phase === phase.name))
    .toReversed();
  const remains = [
    ...left.toReversed().flatMap(({ resource }) => unmade(resource, stateOf(resource, seen, hostPhases))),
    ...former.flatMap((phase) => script('leftovers', phase, phase.cleanup?.(hostPhases.host, context).remove)),
  ];
  const halts = [...former, ...done.map(([phase]) => phase)].flatMap((phase) =>
    script('processes', phase, phase.cleanup?.(hostPhases.host, context).stop),
  );
  const units = [...done.flatMap(([, resources]) => resources), ...left.map(({ resource }) => resource)].filter(
    (resource) => resource.kind === 'unit',
  );
  return [
    work(stopPhase, halts),
    work(formerPhase, remains),
    ...works,
    work(forgetPhase, [forget(units, context.cluster.name)]),
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

/** The names of the phases of `undo`, in its order: for who announces them. */
export const undoNames = (phases: readonly Phase[]): readonly string[] => [
  stopPhase.name,
  ...phases.toReversed().map(({ name }) => name),
  forgetPhase.name,
];

/** A phase that stands for nothing but its name: for work that was planned elsewhere. */
export const emptyPhase = (name: string, ensures: string): Phase => ({
  name,
  ensures,
  appliesTo: () => true,
  resources: () => [],
});

const stopPhase = emptyPhase('stop', 'nothing of the cluster runs on the host');
const formerPhase = emptyPhase('prune', 'the host holds nothing of kbs that no phase wants');
const forgetPhase = emptyPhase('clean-up-state', 'no record of kbs is left on the host');

const work = (phase: Phase, changes: readonly PlannedChange[]): PhaseSteps => ({
  phase: emptyPhase(phase.name, phase.ensures),
  changes,
  gates: [],
  waitOnly: false,
});

/** What is unknown is left alone: images go with containerd's directory, and a table of nftables with the next boot. */
const unmade = (resource: Resource, seen: State | Unknown | undefined): readonly PlannedChange[] => {
  const kind = kindOf(resource);
  return seen === undefined || seen instanceof Unknown
    ? []
    : change(resource.kind, kind.id(resource), kind.remove(resource, seen));
};

const script = (kind: string, phase: Phase, text: Script | undefined): readonly PlannedChange[] =>
  text === undefined ? [] : change(kind, phase.name, [step(sh`(\n${raw(text)}\n) </dev/null`)]);

const change = (kind: string, id: string, steps: readonly Step[]): readonly PlannedChange[] => {
  if (steps.length === 0) return [];
  const removal: Change = { kind, id, action: 'remove', differences: [] };
  return [{ change: removal, steps }];
};

/**
 * What ran before in the place of these units may run again now. What is left then are notes about what no phase of the
 * host stands for any more, and that nothing lay there before; records of another cluster still need them. A copy of
 * what did lie there is never thrown away.
 */
const forget = (units: readonly UnitResource[], cluster: string): PlannedChange => ({
  change: { kind: 'directory', id: '/var/lib/kbs', action: 'remove', differences: [] },
  steps: [
    ...units.map((unit) => step(restartReplacedUnit(unit))),
    step(sh`${raw(removeRecords(cluster))}
[ -e ${recordsPath} ] || rm -rf /var/lib/kbs/before/*.none
rm -rf /var/lib/kbs/stamps /var/lib/kbs/import
rmdir /var/lib/kbs/before /var/lib/kbs 2>/dev/null || :
rm -f /run/kbs.lock`),
  ],
});
