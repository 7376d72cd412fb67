import { Failure, toProblem } from '../failure.js';
import { lastLines } from '../hosts/last-lines.js';
import type { ClusterHost } from '../inventory/cluster.js';
import type { Gate } from '../phases/phase.js';
import { recordsPath, updateRecords } from '../resources/record.js';
import { kindOf } from '../resources/registry.js';
import { type Resource, type State, type Step, step, Unknown } from '../resources/resource.js';
import type { ExecutablePlan, PhaseSteps, PlannedChange } from './executable-plan.js';
import { gatesOf, type HostPhases, type Observation, type RunHosts, resourcesOf, rollingOf } from './observe.js';
import type { Difference, HostPlan, Plan } from './plan.js';
import { adoption, noLeftovers, type Pruning, pruningOf, recording, recordsIn } from './prune.js';
import type { QueryResults } from './query-batch.js';

/** Compares what was seen with what is wanted. Pure. A host whose look failed is set aside with the reason. */
export const compare = (
  runHosts: RunHosts,
  { context, answers, unreachable, leftovers }: Observation,
  expected: Expected = asObserved,
): ExecutablePlan => {
  const present = new Set(runHosts.map(({ host }) => host.name).filter((host) => !unreachable.has(host)));
  return runHosts.map((hostPhases) => {
    const failure = unreachable.get(hostPhases.host.name);
    if (failure) return { hostPhases, unreachable: failure, phases: [] };
    try {
      const seen = answers.get(hostPhases.host.name) ?? new Map();
      const left = leftovers.get(hostPhases.host.name) ?? noLeftovers;
      const pruning = pruningOf(hostPhases, left, (resource) => stateOf(resource, seen, hostPhases), {
        after: (phase) => phase.after?.(hostPhases.host, context) ?? [],
        isPresent: (host) => present.has(host),
      });
      const { notes } = pruning;
      return {
        hostPhases,
        phases: phasesOf(hostPhases, context, seen, pruning, expected),
        ...(notes.length > 0 ? { notes } : {}),
      };
    } catch (error) {
      if (error instanceof Failure) return { hostPhases, unreachable: error, phases: [] };
      throw error;
    }
  });
};

const phasesOf = (
  hostPhases: HostPhases,
  context: Observation['context'],
  seen: QueryResults,
  pruning: Pruning,
  expected: Expected,
): readonly PhaseSteps[] => {
  const records = recordsIn(seen);
  const see = (resource: Resource) => stateOf(resource, seen, hostPhases);
  const adopted: string[] = [];
  const works = [...resourcesOf(hostPhases, context)].map(([phase, resources]): PhaseSteps => {
    const isOpen = (gate: Gate) => seen.get(gate.test)?.code === 0;
    const owner = { cluster: context.cluster.name, phase: phase.name };
    const own = resources.map((resource) => ({ resource, changes: changeOf(resource, seen, hostPhases, expected) }));
    const made = own.filter(({ changes }) => changes.length > 0).map(({ resource }) => resource);
    for (const { resource, changes } of own) {
      if (changes.length === 0 && hostPhases.all) {
        adopted.push(...adoption(owner, resource, see, records));
      }
    }
    const recorded = recording(owner, made, records);
    const removals = pruning.removals.get(phase) ?? [];
    const done = withFirst(
      recorded.length > 0 ? [step(updateRecords(recorded, []))] : [],
      own.flatMap(({ changes }) => changes),
    );
    const isFirst = phase.prunes && 'of' in phase.prunes && phase.prunes.first;
    const changes = isFirst ? [...removals, ...done] : [...done, ...removals];
    const roll = rollingOf(hostPhases, phase, context);
    const disturbs =
      !expected.isStopped(hostPhases.host) &&
      changes.length > 0 &&
      roll !== undefined &&
      roll.healthy.length > 0 &&
      roll.healthy.every(isOpen);
    return {
      phase,
      changes,
      waitOnly: resources.length === 0 && phase.prunes === undefined,
      gates: gatesOf(hostPhases, phase, context).map((gate) => ({ gate, open: isOpen(gate) })),
      // In a rolling update a phase's wait counts for all of it, so one that removes nothing must not have any.
      ...(phase.after && (!phase.prunes || changes.length > 0) ? { after: phase.after(hostPhases.host, context) } : {}),
      ...(disturbs ? { rolling: roll } : {}),
    };
  });
  return withHousekeeping(works, adopted, pruning);
};

/** A phase's resources are recorded before the first of them is made: a record without a thing does no harm. */
const withFirst = (steps: readonly Step[], [first, ...rest]: readonly PlannedChange[]): readonly PlannedChange[] =>
  first ? [{ ...first, steps: [...steps, ...first.steps] }, ...rest] : [];

/**
 * Records that only had to be brought up to date are so in the first phase that waits for nothing and disturbs nothing:
 * of a host that stays as it is, a plan says nothing.
 */
const withHousekeeping = (
  works: readonly PhaseSteps[],
  adopted: readonly string[],
  { stale, forgotten }: Pruning,
): readonly PhaseSteps[] => {
  if (adopted.length + stale.length === 0) return works;
  const place = works.findIndex(({ phase: { gates, rolling, after } }) => !gates && !rolling && !after);
  const change = { kind: 'file', id: recordsPath, action: 'update', differences: [] } as const;
  const quiet: PlannedChange = { change, steps: [...forgotten, step(updateRecords(adopted, stale))], quiet: true };
  return works.map((work, index) => (index === place ? { ...work, changes: [quiet, ...work.changes] } : work));
};

/** What operations before the phases change of what was observed. */
export interface Expected {
  /** The state that the resource will have; undefined where it stays as observed. */
  stateOf(resource: Resource, host: ClusterHost): { readonly state: State | Unknown | undefined } | undefined;
  /** Whether the host will serve nothing that a rolling update could disturb. */
  isStopped(host: ClusterHost): boolean;
}

const asObserved: Expected = { stateOf: () => undefined, isStopped: () => false };

/** The plan of some work: what can be printed and saved. */
export const toPlan = (workflow: string, cluster: string, work: ExecutablePlan): Plan => ({
  workflow,
  cluster,
  hosts: work.map(
    ({ hostPhases, unreachable, phases, notes }): HostPlan => ({
      host: hostPhases.host.name,
      ...(unreachable ? { skipped: toProblem(unreachable) } : {}),
      ...(notes ? { notes } : {}),
      phases: phases
        .map(({ phase, changes }) => ({
          phase: phase.name,
          changes: changes.filter(({ quiet }) => !quiet).map(({ change }) => change),
        }))
        .filter(({ changes }) => changes.length > 0),
    }),
  ),
});

const changeOf = (
  resource: Resource,
  answers: QueryResults,
  hostPhases: HostPhases,
  expected: Expected,
): readonly PlannedChange[] => {
  const kind = kindOf(resource);
  const changed = expected.stateOf(resource, hostPhases.host);
  const seen = changed ? changed.state : stateOf(resource, answers, hostPhases);
  const wanted = kind.desired(resource);
  if (seen instanceof Unknown) {
    const named = { kind: resource.kind, id: kind.id(resource), action: 'unknown' } as const;
    const change = { ...named, differences: differ(undefined, wanted), reason: seen.reason };
    return [{ change, steps: kind.apply(resource, undefined) }];
  }
  const differences = differ(seen, wanted);
  if (differences.length === 0) return [];
  const isThere = Object.keys(wanted).some((aspect) => seen?.[aspect] !== undefined);
  const action = isThere ? 'update' : 'create';
  const change = { kind: resource.kind, id: kind.id(resource), action, differences } as const;
  return [{ change, steps: kind.apply(resource, seen) }];
};

/** What was seen of a resource. Throws where the look at it failed: of what nobody saw, nothing follows. */
export const stateOf = (
  resource: Resource,
  answers: QueryResults,
  { host }: HostPhases,
): State | Unknown | undefined => {
  const kind = kindOf(resource);
  const answer = answers.get(kind.query(resource));
  if (answer?.code === 0) return kind.parse(answer.output, resource);
  const id = kind.id(resource);
  throw new Failure('refused', `cannot look at ${resource.kind} ${id}`, {
    where: { host: host.name, resource: `${resource.kind} ${id}` },
    why: answer ? [`exit status ${answer.code}`, ...lastLines(answer.output)] : [],
    next: `look at it on the host: kbs ssh ${host.name}`,
  });
};

/** The aspects that are wanted and are not so. What nobody asked for is nobody's difference. */
const differ = (seen: State | undefined, wanted: State): readonly Difference[] =>
  Object.entries(wanted)
    .filter(([aspect, value]) => seen?.[aspect] !== value)
    .map(([aspect, value]) => {
      const is = seen?.[aspect];
      return is === undefined ? { aspect, wanted: value } : { aspect, is, wanted: value };
    });
