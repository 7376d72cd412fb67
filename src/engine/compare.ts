import { Failure, toProblem } from '../failure.js';
import { lastLines } from '../hosts/last-lines.js';
import type { ClusterHost } from '../inventory/cluster.js';
import type { Gate } from '../phases/phase.js';
import { recordsPath, updateRecords } from '../resources/record.js';
import { kindOf } from '../resources/registry.js';
import { type Resource, type State, type Step, step, Unknown } from '../resources/resource.js';
import type { ExecutablePlan, PhaseSteps, PlannedChange } from './executable-plan.js';
import { noLeftovers, recordsIn } from './leftovers.js';
import { gatesOf, type HostPhases, type Observation, type RunHosts, resourcesOf, rollingOf } from './observe.js';
import type { Change, Difference, HostPlan, Plan } from './plan.js';
import { previewedDifferences } from './preview.js';
import { type Pruning, pruningOf } from './prune.js';
import type { QueryResults } from './query-batch.js';
import { adoption, recording } from './recording.js';

/**
 * The changes that bring each host from its observed to its desired state, with the steps that apply them. Pure. A host
 * that could not be observed, or one of whose queries failed, has no changes and is `unreachable` with the reason.
 * `expected`: what operations before the phases change of the observed state.
 */
export const compare = (
  runHosts: RunHosts,
  { context, results, unreachable, leftovers }: Observation,
  expected: Expected = asObserved,
): ExecutablePlan => {
  const present = new Set(runHosts.map(({ host }) => host.name).filter((host) => !unreachable.has(host)));
  return runHosts.map((hostPhases) => {
    const failure = unreachable.get(hostPhases.host.name);
    if (failure) return { hostPhases, unreachable: failure, phases: [] };
    try {
      const hostResults = results.get(hostPhases.host.name) ?? new Map();
      const left = leftovers.get(hostPhases.host.name) ?? noLeftovers;
      const pruning = pruningOf(hostPhases, left, (resource) => stateOf(resource, hostResults, hostPhases), {
        after: (phase) => phase.after?.(hostPhases.host, context) ?? [],
        isPresent: (host) => present.has(host),
      });
      const { notes } = pruning;
      return {
        hostPhases,
        phases: phasesOf(hostPhases, context, hostResults, pruning, expected),
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
  results: QueryResults,
  pruning: Pruning,
  expected: Expected,
): readonly PhaseSteps[] => {
  const records = recordsIn(results);
  const observed = (resource: Resource) => stateOf(resource, results, hostPhases);
  const adopted: string[] = [];
  const planned = [...resourcesOf(hostPhases, context)].map(([phase, resources]): PhaseSteps => {
    const isOpen = (gate: Gate) => results.get(gate.test)?.code === 0;
    const owner = { cluster: context.cluster.name, phase: phase.name };
    const own = resources.map((resource) => ({ resource, changes: changeOf(resource, results, hostPhases, expected) }));
    const changed = own.filter(({ changes }) => changes.length > 0).map(({ resource }) => resource);
    for (const { resource, changes } of own) {
      if (changes.length === 0 && hostPhases.all) {
        adopted.push(...adoption(owner, resource, observed, records));
      }
    }
    const recorded = recording(owner, changed, records);
    const removals = pruning.removals.get(phase) ?? [];
    const applied = withFirst(recorded.length > 0 ? [step(updateRecords(recorded, []))] : [], concluded(own));
    const isFirst = phase.prunes && 'of' in phase.prunes && phase.prunes.first;
    const changes = isFirst ? [...removals, ...applied] : [...applied, ...removals];
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
      // A phase that only prunes, and has nothing to prune, waits for no other host: in a rolling update that would delay all phases.
      ...(phase.after && (!phase.prunes || changes.length > 0) ? { after: phase.after(hostPhases.host, context) } : {}),
      ...(disturbs ? { rolling: roll } : {}),
    };
  });
  return withRecordUpdates(planned, adopted, pruning);
};

/** Runs `steps` before the first change: a phase's resources are recorded before they are applied, so none lacks a record. */
const withFirst = (steps: readonly Step[], [first, ...rest]: readonly PlannedChange[]): readonly PlannedChange[] =>
  first ? [{ ...first, steps: [...steps, ...first.steps] }, ...rest] : [];

/** The changes of a phase, where the last one of a kind ends with what clears away after all of that kind. */
const concluded = (
  own: readonly { readonly resource: Resource; readonly changes: readonly PlannedChange[] }[],
): readonly PlannedChange[] => {
  const changed = own.filter(({ changes }) => changes.length > 0);
  return changed.flatMap(({ resource, changes }, index) => {
    if (changed.slice(index + 1).some((later) => later.resource.kind === resource.kind)) return changes;
    const all = changed.map((each) => each.resource).filter(({ kind }) => kind === resource.kind);
    const script = kindOf(resource).conclude?.(all);
    return script === undefined ? changes : changes.map((each) => ({ ...each, steps: [...each.steps, step(script)] }));
  });
};

/**
 * Adds missing records and drops stale ones where nothing else changes: as a quiet change, which the plan does not show, in
 * the first phase that has no gate, no rolling update and no dependency on other hosts.
 */
const withRecordUpdates = (
  planned: readonly PhaseSteps[],
  adopted: readonly string[],
  { stale, forgotten }: Pruning,
): readonly PhaseSteps[] => {
  if (adopted.length + stale.length === 0) return planned;
  const place = planned.findIndex(({ phase: { gates, rolling, after } }) => !gates && !rolling && !after);
  const change = { kind: 'file', id: recordsPath, action: 'update', differences: [] } as const;
  const quiet: PlannedChange = { change, steps: [...forgotten, step(updateRecords(adopted, stale))], quiet: true };
  return planned.map((steps, index) => (index === place ? { ...steps, changes: [quiet, ...steps.changes] } : steps));
};

/** How operations that run before the phases change the observed state. */
export interface Expected {
  /** The state that the resource will then have; undefined where it stays as observed. */
  stateOf(resource: Resource, host: ClusterHost): { readonly state: State | Unknown | undefined } | undefined;
  /** Whether the host's services will be stopped, so that its changes need no rolling update. */
  isStopped(host: ClusterHost): boolean;
}

const asObserved: Expected = { stateOf: () => undefined, isStopped: () => false };

/** The plan without its scripts and secrets, which can be printed and saved. Quiet changes are left out. */
export const toPlan = (workflow: string, cluster: string, executable: ExecutablePlan): Plan => ({
  workflow,
  cluster,
  hosts: executable.map(
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
  results: QueryResults,
  hostPhases: HostPhases,
  expected: Expected,
): readonly PlannedChange[] => {
  const kind = kindOf(resource);
  const changed = expected.stateOf(resource, hostPhases.host);
  const observed = changed ? changed.state : stateOf(resource, results, hostPhases);
  const desired = kind.desired(resource);
  if (observed instanceof Unknown) {
    const named = { kind: resource.kind, id: kind.id(resource), action: 'unknown' } as const;
    const change = {
      ...named,
      differences: differ(undefined, desired),
      reason: observed.reason,
      ...imagesOf(resource),
      ...downloadsOf(resource, undefined),
    };
    return [{ change, steps: kind.apply(resource, undefined) }];
  }
  const differences = differ(observed, desired);
  if (differences.length === 0) return [];
  const isThere = Object.keys(desired).some((aspect) => observed?.[aspect] !== undefined);
  const action = isThere ? 'update' : 'create';
  const inside = observed === undefined ? [] : previewedDifferences(resource, observed, results);
  const change = {
    kind: resource.kind,
    id: kind.id(resource),
    action,
    differences: [...differences, ...inside],
    ...imagesOf(resource),
    ...downloadsOf(resource, observed),
  } as const;
  return [{ change, steps: kind.apply(resource, observed) }];
};

const imagesOf = (resource: Resource): Pick<Change, 'images'> =>
  resource.kind === 'release'
    ? {
        images: resource.images ?? {
          unknown: 'its chart or values are yours: hosts must have or fetch what they name',
        },
      }
    : {};

const downloadsOf = (resource: Resource, observed: State | undefined): Pick<Change, 'downloads'> => {
  const downloads = kindOf(resource).downloads?.(resource, observed) ?? [];
  return downloads.length === 0 ? {} : { downloads };
};

/**
 * The observed state of a resource, parsed from the query results of its host; `undefined` where it does not exist. Throws
 * a Failure where its query failed or was not run: a failed query does not mean that the resource is absent.
 */
export const stateOf = (
  resource: Resource,
  results: QueryResults,
  { host }: HostPhases,
): State | Unknown | undefined => {
  const kind = kindOf(resource);
  const result = results.get(kind.query(resource));
  if (result?.code === 0) return kind.parse(result.output, resource);
  const id = kind.id(resource);
  throw new Failure('refused', `cannot query ${resource.kind} ${id}`, {
    where: { host: host.name, resource: `${resource.kind} ${id}` },
    why: result ? [`exit status ${result.code}`, ...lastLines(result.output)] : [],
    next: `inspect it on the host: kbs ssh ${host.name}`,
  });
};

/** The desired aspects whose observed value differs. Aspects that are only observed do not count. */
const differ = (observed: State | undefined, desired: State): readonly Difference[] =>
  Object.entries(desired)
    .filter(([aspect, value]) => observed?.[aspect] !== value)
    .map(([aspect, value]) => {
      const is = observed?.[aspect];
      return is === undefined ? { aspect, wanted: value } : { aspect, is, wanted: value };
    });
