import type { Artifacts } from '../../artifacts/artifacts.js';
import type { ContextInputs } from '../../engine/observe.js';
import { assumedFacts } from '../../hosts/facts/facts.js';
import { type Cluster, nodes } from '../../inventory/cluster.js';
import type { PhaseContext } from '../../phases/phase.js';
import { placeholderCredentials } from '../../pki/placeholder.js';

/**
 * What phases read but for the facts of hosts, which are observed. Where nothing else is given: placeholders for
 * credentials, all nodes as targets, and a time that makes the same inventory give the same resources.
 */
export const contextInputs = (
  cluster: Cluster,
  artifacts: Artifacts,
  details: Partial<Omit<ContextInputs, 'cluster' | 'artifacts'>> = {},
): ContextInputs => ({
  cluster,
  artifacts,
  credentials: details.credentials ?? placeholderCredentials(cluster),
  targetNodes: nodes(cluster),
  startedAt: 0,
  ...details,
});

/** The same where no host is contacted. */
export const offlineContext = (...inputs: Parameters<typeof contextInputs>): PhaseContext => ({
  ...contextInputs(...inputs),
  facts: () => assumedFacts,
});

/** Seconds since the epoch: when a run observes. */
export const now = (): number => Math.floor(Date.now() / 1000);
