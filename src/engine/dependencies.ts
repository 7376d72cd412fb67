import type { HostWorkPlan, PhaseSteps } from './compare.js';
import { type Group, rollingSpans } from './rolling.js';

/** For whom one phase of a host waits before it begins, in this order. Its gates come after. */
export interface Dependencies {
  /** Turns that begin with this phase, taken together. */
  readonly acquire: readonly Group[];
  /** Hosts that must be done with everything, because a gate is about them. */
  readonly waitFor: readonly string[];
  /** The group whose turn ends with this phase. */
  readonly release?: Group;
}

export type HostDependencies = ReadonlyMap<PhaseSteps, Dependencies>;

/**
 * Who holds a turn waits for no other host, so every turn is passed on in the end and waiting for one is safe: a gate
 * about another host is looked at as things are.
 */
export const dependenciesOf = ({ phases }: HostWorkPlan): HostDependencies => {
  const holds = rollingSpans(phases);
  const waits = (work: PhaseSteps): Dependencies => {
    const hold = holds.find((each) => each.phases.includes(work));
    if (!hold) return { acquire: [], waitFor: hostsAbout(work) };
    const takes = hold.phases[0] === work ? hold.groups : [];
    return work.rolling && isLast(work, work.rolling.group, phases)
      ? { acquire: takes, waitFor: [], release: work.rolling.group }
      : { acquire: takes, waitFor: [] };
  };
  return new Map(phases.map((work) => [work, waits(work)]));
};

const isLast = (work: PhaseSteps, group: Group, phases: readonly PhaseSteps[]): boolean =>
  phases.findLast(({ rolling }) => rolling?.group === group) === work;

/** A phase that has resources and changes none of them waits for nothing. */
const hostsAbout = ({ gates, changes, waitOnly }: PhaseSteps): readonly string[] => {
  const others = waitOnly || changes.length > 0 ? gates.map(({ gate }) => gate.afterHost) : [];
  return [...new Set(others.filter((other) => other !== undefined))];
};

/**
 * Throws where hosts would wait for each other's end for ever, before anything is changed. Turns do not matter, as
 * whoever holds one comes to its end.
 */
export const assertNoCycle = (waits: ReadonlyMap<string, HostDependencies>): void => {
  const left = new Map([...waits].map(([host, own]) => [host, [...own.values()].flatMap(({ waitFor }) => waitFor)]));
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    for (const [host, others] of left) if (!others.some((other) => left.has(other))) left.delete(host);
  }
  if (left.size === 0) return;
  const where = [...left].map(([host, others]) => `${host} for ${[...new Set(others)].join(', ')}`);
  throw new Error(`hosts would wait for each other for ever: ${where.join('; ')}`);
};
