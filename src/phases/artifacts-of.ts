import { archOfMachine } from '../artifacts/arch.js';
import type { HostArtifacts } from '../artifacts/artifacts.js';
import type { ClusterHost } from '../inventory/cluster.js';
import type { PhaseContext } from './phase.js';

/** The artifacts of the host's own architecture; of the first that there is where the host was not asked for it. */
export const artifactsOf = (
  { name }: Pick<ClusterHost, 'name'>,
  { artifacts, facts }: Pick<PhaseContext, 'artifacts' | 'facts'>,
): HostArtifacts => {
  const [first = 'amd64'] = artifacts.architectures;
  return artifacts.of(archOfMachine(facts(name).arch) ?? first);
};
