import { placeholderArtifacts } from '../../src/artifacts/placeholder.js';
import { assumedFacts, type Facts } from '../../src/hosts/facts/facts.js';
import { type Cluster, isNode } from '../../src/inventory/cluster.js';
import type { PhaseContext } from '../../src/phases/phase.js';
import { placeholderCredentials } from '../../src/pki/placeholder.js';

/** A site in which nothing is real but the cluster: what `render` sees. */
export const contextOf = (cluster: Cluster, facts: Partial<Facts> = {}): PhaseContext => ({
  cluster,
  credentials: placeholderCredentials(cluster),
  artifacts: placeholderArtifacts(cluster.kubernetes.version),
  startedAt: 0,
  targetNodes: cluster.hosts.filter(isNode),
  facts: () => ({ ...assumedFacts, ...facts }),
});
