import type { PhaseReference } from '../phases/phase.js';
import type { ExecutableHostPlan, ExecutablePlan, PhaseSteps } from './executable-plan.js';
import { type Group, rollingSpans } from './rolling.js';

/** What one phase of a host waits for before it begins, in this order. Its gates come after. */
export interface Dependencies {
  /** Phases of other hosts. */
  readonly after: readonly PhaseReference[];
  /** Rolling updates that begin with this phase, acquired together. */
  readonly acquire: readonly Group[];
  /** Hosts that must be done with all their phases, because a gate is about them. */
  readonly waitFor: readonly string[];
  /** The rolling update whose slot is released after this phase. */
  readonly release?: Group;
}

export type HostDependencies = ReadonlyMap<PhaseSteps, Dependencies>;

/**
 * A host that holds a slot waits for no other host, so every slot is released in the end: what the phases of a rolling
 * span wait for is waited for before the span begins, and a gate about another host is asked as things are.
 */
export const dependenciesOf = ({ phases }: ExecutableHostPlan): HostDependencies => {
  const spans = rollingSpans(phases);
  const dependencies = (steps: PhaseSteps): Dependencies => {
    const span = spans.find((each) => each.phases.includes(steps));
    if (!span) return { after: steps.after ?? [], acquire: [], waitFor: hostsOfGates(steps) };
    const isFirst = span.phases[0] === steps;
    return {
      after: isFirst ? span.phases.flatMap(({ after = [] }) => after) : [],
      acquire: isFirst ? span.groups : [],
      waitFor: [],
      ...(steps.rolling && isLast(steps, steps.rolling.group, phases) ? { release: steps.rolling.group } : {}),
    };
  };
  return new Map(phases.map((steps) => [steps, dependencies(steps)]));
};

const isLast = (steps: PhaseSteps, group: Group, phases: readonly PhaseSteps[]): boolean =>
  phases.findLast(({ rolling }) => rolling?.group === group) === steps;

/** A phase that has resources and changes none of them waits for nothing. */
const hostsOfGates = ({ gates, changes, waitOnly }: PhaseSteps): readonly string[] => {
  const others = waitOnly || changes.length > 0 ? gates.map(({ gate }) => gate.afterHost) : [];
  return [...new Set(others.filter((other) => other !== undefined))];
};

/**
 * Throws where hosts would wait for each other without end, before anything is changed. Slots of rolling updates do not
 * matter: a host that holds one waits for no other.
 */
export const assertNoCycle = (plan: ExecutablePlan, dependencies: ReadonlyMap<string, HostDependencies>): void => {
  const phases = new Map(plan.map((host) => [host.hostPhases.host.name, host.phases]));
  const waits = new Map<string, readonly string[]>();
  for (const [host, list] of phases) {
    for (const [index, steps] of list.entries()) {
      const { after = [], waitFor = [] } = dependencies.get(host)?.get(steps) ?? {};
      waits.set(key(host, index), [
        ...(index === 0 ? [] : [key(host, index - 1)]),
        ...after.map(({ host: other, phase }) => key(other, indexOf(phases.get(other) ?? [], phase))),
        ...waitFor.map((other) => key(other, (phases.get(other)?.length ?? 0) - 1)),
      ]);
    }
  }
  for (let before = -1; before !== waits.size; ) {
    before = waits.size;
    for (const [phase, others] of waits) if (!others.some((other) => waits.has(other))) waits.delete(phase);
  }
  if (waits.size === 0) return;
  const hosts = [...new Set([...waits.keys()].map((phase) => phase.split(' ')[0]))];
  throw new Error(`hosts would wait for each other without end: ${hosts.join(', ')}`);
};

const key = (host: string, index: number): string => `${host} ${index}`;

const indexOf = (phases: readonly PhaseSteps[], name: string): number =>
  phases.findIndex(({ phase }) => phase.name === name);
