import { type Group, holdsOf } from './turns.js';
import type { HostWork, PhaseWork } from './work.js';

/** For whom one phase of a host waits before it begins, in this order. Its gates come after. */
export interface Waits {
  /** Turns that begin with this phase, taken together. */
  readonly takes: readonly Group[];
  /** Hosts that must be done with everything, because a gate is about them. */
  readonly ends: readonly string[];
  /** The group whose turn ends with this phase. */
  readonly passes?: Group;
}

export type HostWaits = ReadonlyMap<PhaseWork, Waits>;

/**
 * Who holds a turn waits for no other host, so every turn is passed on in the end and waiting for one is safe: a gate
 * about another host is looked at as things are.
 */
export const waitsOf = ({ phases }: HostWork): HostWaits => {
  const holds = holdsOf(phases);
  const waits = (work: PhaseWork): Waits => {
    const hold = holds.find((each) => each.phases.includes(work));
    if (!hold) return { takes: [], ends: hostsAbout(work) };
    const takes = hold.phases[0] === work ? hold.groups : [];
    return work.turn && isLast(work, work.turn.group, phases)
      ? { takes, ends: [], passes: work.turn.group }
      : { takes, ends: [] };
  };
  return new Map(phases.map((work) => [work, waits(work)]));
};

const isLast = (work: PhaseWork, group: Group, phases: readonly PhaseWork[]): boolean =>
  phases.findLast(({ turn }) => turn?.group === group) === work;

/** A phase that has resources and changes none of them waits for nothing. */
const hostsAbout = ({ gates, changes, wait }: PhaseWork): readonly string[] => {
  const others = wait || changes.length > 0 ? gates.map(({ gate }) => gate.about) : [];
  return [...new Set(others.filter((other) => other !== undefined))];
};

/**
 * Throws where hosts would wait for each other's end for ever, before anything is changed. Turns do not matter, as
 * whoever holds one comes to its end.
 */
export const refuseCircles = (waits: ReadonlyMap<string, HostWaits>): void => {
  const left = new Map([...waits].map(([host, own]) => [host, [...own.values()].flatMap(({ ends }) => ends)]));
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    for (const [host, others] of left) if (!others.some((other) => left.has(other))) left.delete(host);
  }
  if (left.size === 0) return;
  const where = [...left].map(([host, others]) => `${host} for ${[...new Set(others)].join(', ')}`);
  throw new Error(`hosts would wait for each other for ever: ${where.join('; ')}`);
};
