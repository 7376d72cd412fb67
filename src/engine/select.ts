import { unknownName } from '../inventory/did-you-mean.js';
import type { Phase } from '../phases/phase.js';
import type { RunHosts } from './observe.js';

/** Which part of a run the operator asked for. */
export interface Selection {
  readonly limit?: readonly string[];
  readonly only?: readonly string[];
  readonly from?: string;
}

/**
 * Narrows an itinerary. A name that nobody has is a mistake and not an empty run. `order` is that of all phases there
 * are: the one to begin with may be missing on a host, which then begins with the next.
 */
export const select = (runHosts: RunHosts, { limit, only, from }: Selection, order: readonly string[]): RunHosts => {
  const hosts = runHosts.map(({ host }) => host.name);
  const walked = new Set(runHosts.flatMap((hostPhases) => hostPhases.phases.map((phase) => phase.name)));
  const phases = order.filter((name) => walked.has(name));
  refuseUnknown('host', limit ?? [], hosts);
  refuseUnknown('phase', [...(only ?? []), ...(from ? [from] : [])], phases);
  const wanted = (all: readonly Phase[]): readonly Phase[] => {
    const start = from === undefined ? 0 : all.findIndex((phase) => phases.indexOf(phase.name) >= phases.indexOf(from));
    return (start < 0 ? [] : all.slice(start)).filter((phase) => only === undefined || only.includes(phase.name));
  };
  return runHosts
    .filter(({ host }) => limit === undefined || limit.includes(host.name))
    .map((hostPhases) => ({ ...hostPhases, phases: wanted(hostPhases.phases) }))
    .filter((hostPhases) => hostPhases.phases.length > 0);
};

const refuseUnknown = (what: string, names: readonly string[], known: readonly string[]): void => {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw unknownName(`this run has no ${what}`, unknown, known);
};
