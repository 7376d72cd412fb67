import { Failure } from '../failure.js';
import type { Gate, Phase, Roll } from '../phases/phase.js';
import { kindOf, subjectOf } from '../resources/registry.js';
import type { Resource, State, Step } from '../resources/resource.js';
import { type Answers, lastLines } from './look.js';
import type { Change, Difference, HostPlan, Plan } from './plan.js';
import { gatesOf, type Itinerary, type Leg, resourcesOf, rollOf, type Survey } from './survey.js';

/** A plan with its hands: the same changes, and the scripts that make them. Secrets may be inside: never printed. */
export type Work = readonly HostWork[];

export interface HostWork {
  readonly leg: Leg;
  readonly unreachable?: Failure;
  readonly phases: readonly PhaseWork[];
}

export interface PhaseWork {
  readonly phase: Phase;
  readonly changes: readonly PlannedChange[];
  readonly gates: readonly PlannedGate[];
  /** Whether the phase has nothing to change in any case, and is only a wait. */
  readonly wait: boolean;
  /** The turn under which the changes are made; absent where they disturb nothing that serves. */
  readonly turn?: Roll;
}

export interface PlannedChange {
  readonly change: Change;
  readonly steps: readonly Step[];
}

export interface PlannedGate {
  readonly gate: Gate;
  /** As seen by the survey. */
  readonly open: boolean;
}

/** Compares what was seen with what is wanted. Pure. A host whose look failed is set aside with the reason. */
export const compare = (itinerary: Itinerary, { site, answers, unseen }: Survey): Work =>
  itinerary.map((leg) => {
    const failure = unseen.get(leg.host.name);
    if (failure) return { leg, unreachable: failure, phases: [] };
    try {
      return { leg, phases: phasesOf(leg, site, answers.get(leg.host.name) ?? new Map()) };
    } catch (error) {
      if (error instanceof Failure) return { leg, unreachable: error, phases: [] };
      throw error;
    }
  });

const phasesOf = (leg: Leg, site: Survey['site'], seen: Answers): readonly PhaseWork[] =>
  [...resourcesOf(leg, site)].map(([phase, resources]) => {
    const isOpen = (gate: Gate) => seen.get(gate.test)?.code === 0;
    const changes = resources.flatMap((resource) => changeOf(resource, seen, leg));
    const roll = rollOf(leg, phase, site);
    const disturbs = changes.length > 0 && roll !== undefined && roll.serves.length > 0 && roll.serves.every(isOpen);
    return {
      phase,
      changes,
      wait: resources.length === 0,
      gates: gatesOf(leg, phase, site).map((gate) => ({ gate, open: isOpen(gate) })),
      ...(disturbs ? { turn: roll } : {}),
    };
  });

/** The plan of some work: what can be printed and saved. */
export const toPlan = (workflow: string, cluster: string, work: Work): Plan => ({
  workflow,
  cluster,
  hosts: work.map(
    ({ leg, unreachable, phases }): HostPlan => ({
      host: leg.host.name,
      ...(unreachable ? { unreachable: unreachable.message } : {}),
      phases: phases
        .filter(({ changes }) => changes.length > 0)
        .map(({ phase, changes }) => ({ phase: phase.name, changes: changes.map(({ change }) => change) })),
    }),
  ),
});

const changeOf = (resource: Resource, answers: Answers, leg: Leg): readonly PlannedChange[] => {
  const kind = kindOf(resource);
  const seen = seenOf(resource, answers, leg);
  const wanted = kind.want(resource);
  const differences = differ(seen, wanted);
  if (differences.length === 0) return [];
  const subject = subjectOf(resource);
  const isThere = Object.keys(wanted).some((aspect) => seen?.[aspect] !== undefined);
  const action = subject !== resource ? 'remove' : isThere ? 'update' : 'create';
  const change = { kind: subject.kind, id: kindOf(subject).id(subject), action, differences } as const;
  return [{ change, steps: kind.make(resource, seen) }];
};

/** What was seen of a resource. Throws where the look at it failed: of what nobody saw, nothing follows. */
export const seenOf = (resource: Resource, answers: Answers, { host }: Leg): State | undefined => {
  const kind = kindOf(resource);
  const answer = answers.get(kind.look(resource));
  if (answer?.code === 0) return kind.see(answer.output, resource);
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
