import type { Failure } from '../failure.js';
import type { Host } from '../hosts/host.js';
import type { ClusterHost } from '../inventory/cluster.js';
import type { PhaseContext } from '../phases/phase.js';
import type { ExecutablePlan } from './compare.js';
import { assertNoCycle, dependenciesOf } from './dependencies.js';
import type { Emit } from './event.js';
import { HostRunner } from './host-runner.js';
import { RollingGroups } from './rolling.js';

/** What became of each host: nothing, or the failure that set it aside. */
export type Outcome = ReadonlyMap<string, Failure | undefined>;

export interface ApplyContext {
  readonly context: PhaseContext;
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
export const apply = async (work: ExecutablePlan, surroundings: ApplyContext): Promise<Outcome> => {
  const waits = new Map(work.map((host) => [host.hostPhases.host.name, dependenciesOf(host)]));
  assertNoCycle(waits);
  const chains = new Map<string, HostRunner>();
  const company = { ...surroundings, chains, turns: new RollingGroups([...waits.keys()]) };
  for (const host of work) {
    chains.set(
      host.hostPhases.host.name,
      new HostRunner(host, waits.get(host.hostPhases.host.name) ?? new Map(), company),
    );
  }
  await Promise.all([...chains.values()].map((chain) => chain.run()));
  return new Map([...chains].map(([name, chain]) => [name, chain.failure]));
};
