import type { Need, Site } from '../phases/phase.js';
import { type Group, holdsOf } from './turns.js';
import type { HostWork, PhaseWork, Work } from './work.js';

/** For whom one phase of a host waits before it begins, in this order. Its gates come after. */
export interface Waits {
  /** Phases of other hosts, each with the phase of this host that needs it. */
  readonly needs: readonly (Need & { readonly by: string })[];
  /** Turns that begin with this phase, taken together. */
  readonly takes: readonly Group[];
  /** Hosts that must be done with everything, because a gate is about them. */
  readonly ends: readonly string[];
  /** The group whose turn ends with this phase. */
  readonly passes?: Group;
}

export type HostWaits = ReadonlyMap<PhaseWork, Waits>;

/**
 * Who holds a turn waits for no other host, so every turn is passed on in the end and waiting for one is safe: what the
 * phases under it need is waited for before it is taken, and a gate about another host is looked at as things are.
 */
export const waitsOf = ({ leg, phases }: HostWork, site: Site): HostWaits => {
  const holds = holdsOf(phases);
  const needsOf = ({ phase }: PhaseWork) =>
    (phase.needs?.(leg.host, site) ?? []).map((need) => ({ ...need, by: phase.name }));
  const waits = (work: PhaseWork): Waits => {
    const hold = holds.find((each) => each.phases.includes(work));
    if (!hold) return { needs: needsOf(work), takes: [], ends: hostsAbout(work) };
    const passes = work.turn && isLast(work, work.turn.group, phases) ? { passes: work.turn.group } : {};
    if (hold.phases[0] !== work) return { needs: [], takes: [], ends: [], ...passes };
    return { needs: hold.phases.flatMap(needsOf), takes: hold.groups, ends: [], ...passes };
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
 * Throws where hosts would wait for each other for ever, before anything is changed. Walks every host as far as its
 * waits allow; turns do not matter, as whoever holds one comes to its end.
 */
export const refuseCircles = (work: Work, waits: ReadonlyMap<string, HostWaits>): void => {
  const walks = new Map(work.map(({ leg, phases }) => [leg.host.name, { phases, at: 0 }]));
  const isPast = ({ host, phase }: Need): boolean => {
    const walk = walks.get(host);
    return walk === undefined || walk.phases.findIndex((each) => each.phase.name === phase) < walk.at;
  };
  const hasEnded = (host: string): boolean => isEnd(walks.get(host));
  const stuck = (host: string, { phases, at }: Walk): boolean => {
    const next = phases[at];
    const { needs = [], ends = [] } = (next && waits.get(host)?.get(next)) ?? {};
    return next === undefined || !needs.every(isPast) || !ends.every(hasEnded);
  };
  for (let moved = true; moved; ) {
    moved = false;
    for (const [host, walk] of walks) {
      for (; !stuck(host, walk); walk.at += 1) moved = true;
    }
  }
  const waiting = [...walks].filter(([, walk]) => !isEnd(walk));
  if (waiting.length === 0) return;
  const where = waiting.map(([host, { phases, at }]) => `${host} before ${phases[at]?.phase.name}`);
  throw new Error(`hosts would wait for each other for ever: ${where.join(', ')}`);
};

interface Walk {
  readonly phases: readonly PhaseWork[];
  /** The index of the next phase. */
  at: number;
}

const isEnd = (walk: Walk | undefined): boolean => walk === undefined || walk.at === walk.phases.length;
