import { Failure, toProblem } from '../failure.js';
import { lastLines } from '../hosts/last-lines.js';
import type { ClusterHost } from '../inventory/cluster.js';
import type { Gate } from '../phases/phase.js';
import { kindOf, subjectOf } from '../resources/registry.js';
import { type Resource, type State, Unknown } from '../resources/resource.js';
import type { ExecutablePlan, PhaseSteps, PlannedChange } from './executable-plan.js';
import { gatesOf, type HostPhases, type Observation, type RunHosts, resourcesOf, rollingOf } from './observe.js';
import type { Difference, HostPlan, Plan } from './plan.js';
import type { QueryResults } from './query-batch.js';

/** Compares what was seen with what is wanted. Pure. A host whose look failed is set aside with the reason. */
export const compare = (
  runHosts: RunHosts,
  { context, answers, unreachable }: Observation,
  expected: Expected = asObserved,
): ExecutablePlan =>
  runHosts.map((hostPhases) => {
    const failure = unreachable.get(hostPhases.host.name);
    if (failure) return { hostPhases, unreachable: failure, phases: [] };
    try {
      return {
        hostPhases,
        phases: phasesOf(hostPhases, context, answers.get(hostPhases.host.name) ?? new Map(), expected),
      };
    } catch (error) {
      if (error instanceof Failure) return { hostPhases, unreachable: error, phases: [] };
      throw error;
    }
  });

const phasesOf = (
  hostPhases: HostPhases,
  context: Observation['context'],
  seen: QueryResults,
  expected: Expected,
): readonly PhaseSteps[] =>
  [...resourcesOf(hostPhases, context)].map(([phase, resources]) => {
    const isOpen = (gate: Gate) => seen.get(gate.test)?.code === 0;
    const changes = resources.flatMap((resource) => changeOf(resource, seen, hostPhases, expected));
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
      waitOnly: resources.length === 0,
      gates: gatesOf(hostPhases, phase, context).map((gate) => ({ gate, open: isOpen(gate) })),
      ...(phase.after ? { after: phase.after(hostPhases.host, context) } : {}),
      ...(disturbs ? { rolling: roll } : {}),
    };
  });

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
    ({ hostPhases, unreachable, phases }): HostPlan => ({
      host: hostPhases.host.name,
      ...(unreachable ? { skipped: toProblem(unreachable) } : {}),
      phases: phases
        .filter(({ changes }) => changes.length > 0)
        .map(({ phase, changes }) => ({ phase: phase.name, changes: changes.map(({ change }) => change) })),
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
  const subject = subjectOf(resource);
  if (seen instanceof Unknown) {
    const named = { kind: subject.kind, id: kindOf(subject).id(subject), action: 'unknown' } as const;
    const change = { ...named, differences: differ(undefined, wanted), reason: seen.reason };
    return [{ change, steps: kind.apply(resource, undefined) }];
  }
  const differences = differ(seen, wanted);
  if (differences.length === 0) return [];
  const isThere = Object.keys(wanted).some((aspect) => seen?.[aspect] !== undefined);
  const action = subject !== resource ? 'remove' : isThere ? 'update' : 'create';
  const change = { kind: subject.kind, id: kindOf(subject).id(subject), action, differences } as const;
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
