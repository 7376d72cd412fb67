import type { Failure } from '../failure.js';
import type { Host } from '../hosts/host.js';
import type { ClusterHost } from '../inventory/cluster.js';
import type { Site } from '../phases/phase.js';
import { Chain } from './chain.js';
import type { Emit } from './event.js';
import { Turns } from './turns.js';
import { refuseCircles, waitsOf } from './waits.js';
import type { Work } from './work.js';

/** What became of each host: nothing, or the failure that set it aside. */
export type Outcome = ReadonlyMap<string, Failure | undefined>;

export interface Surroundings {
  readonly site: Site;
  readonly open: (host: ClusterHost) => Host;
  readonly emit: Emit;
  /** Once aborted, no further phase begins; what runs is let finish, so that the next run finds whole things. */
  readonly signal: AbortSignal;
  /** Milliseconds: the longest wait for one step, in place of each step's own. */
  readonly timeout?: number;
}

/**
 * Does the work. Each host walks its own phases; it waits for another one only where a phase or a gate says so, or
 * where hosts that serve take turns. A host that fails is set aside with its reason while the others go on.
 */
export const apply = async (work: Work, surroundings: Surroundings): Promise<Outcome> => {
  const waits = new Map(work.map((host) => [host.leg.host.name, waitsOf(host)]));
  refuseCircles(waits);
  const chains = new Map<string, Chain>();
  const company = { ...surroundings, chains, turns: new Turns([...waits.keys()]) };
  for (const host of work) {
    chains.set(host.leg.host.name, new Chain(host, waits.get(host.leg.host.name) ?? new Map(), company));
  }
  await Promise.all([...chains.values()].map((chain) => chain.walk()));
  return new Map([...chains].map(([name, chain]) => [name, chain.failure]));
};
