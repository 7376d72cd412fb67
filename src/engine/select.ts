import { unknownName } from '../inventory/did-you-mean.js';
import type { Phase } from '../phases/phase.js';
import type { RunHosts } from './observe.js';

/** The part of a run that the operator selects, as in the flags of the same names. Absent: everything. */
export interface Selection {
  /** Names of hosts. */
  readonly limit?: readonly string[];
  /** Names of phases. */
  readonly only?: readonly string[];
  /** The phase to begin with. */
  readonly from?: string;
}

/**
 * The selected hosts with their selected phases; hosts without any are left out. `order` has the names of all phases of
 * kbs: a host that lacks the phase `from` begins with the next one in it. Throws a Failure for a name that no host or no
 * phase of the run has.
 */
export const select = (runHosts: RunHosts, { limit, only, from }: Selection, order: readonly string[]): RunHosts => {
  const hosts = runHosts.map(({ host }) => host.name);
  const names = new Set(runHosts.flatMap((hostPhases) => hostPhases.phases.map((phase) => phase.name)));
  const phases = order.filter((name) => names.has(name));
  refuseUnknown('host', limit ?? [], hosts);
  refuseUnknown('phase', [...(only ?? []), ...(from ? [from] : [])], phases);
  const selected = (all: readonly Phase[]): readonly Phase[] => {
    const start = from === undefined ? 0 : all.findIndex((phase) => phases.indexOf(phase.name) >= phases.indexOf(from));
    return (start < 0 ? [] : all.slice(start)).filter((phase) => only === undefined || only.includes(phase.name));
  };
  return runHosts
    .filter(({ host }) => limit === undefined || limit.includes(host.name))
    .map((hostPhases) => ({ ...hostPhases, phases: selected(hostPhases.phases) }))
    .filter((hostPhases) => hostPhases.phases.length > 0);
};

const refuseUnknown = (what: string, names: readonly string[], known: readonly string[]): void => {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw unknownName(`this run has no ${what}`, unknown, known);
};
