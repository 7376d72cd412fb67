import type { Artifacts } from '../../artifacts/artifacts.js';
import type { RunHosts } from '../../engine/observe.js';
import { Failure } from '../../failure.js';
import type { Cluster, ClusterHost } from '../../inventory/cluster.js';
import { shortList, unknownName } from '../../inventory/did-you-mean.js';
import { compileRoutes } from '../../network/routes.js';
import { phases } from '../../phases/index.js';
import type { Phase, PhaseContext } from '../../phases/phase.js';
import { kindOf } from '../../resources/registry.js';
import { offlineContext } from '../run/phase-context.js';

/** The hosts of these names, in the order of the inventory. */
export const removedHosts = (cluster: Cluster, names: readonly string[]): readonly ClusterHost[] => {
  const known = cluster.hosts.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (names.length === 0)
    throw new Failure('usage', 'no host is named', { next: `the inventory has ${shortList(known)}` });
  if (unknown.length > 0) throw unknownName('the inventory has no host', unknown, known);
  return cluster.hosts.filter(({ name }) => names.includes(name));
};

/** The cluster without these hosts. The others keep what they have. */
export const clusterWithout = (cluster: Cluster, leaving: readonly ClusterHost[]): Cluster => {
  const hosts = cluster.hosts.filter((host) => !leaving.includes(host));
  return { ...cluster, hosts, routes: compileRoutes({ ...cluster, hosts }) };
};

/**
 * The hosts that stay and change, with the phases that want something else without the removed hosts, such as routes,
 * load balancers and zones. Found by comparing, so that no phase has to be remembered here.
 */
export const affectedHosts = (before: Cluster, after: Cluster, artifacts: Artifacts): RunHosts => {
  const [was, is] = [before, after].map((cluster) => offlineContext(cluster, artifacts)) as [
    PhaseContext,
    PhaseContext,
  ];
  return after.hosts
    .map((host) => {
      const all = phases.filter((phase) => phase.appliesTo(host, after));
      return { host, all, phases: all.filter((phase) => wanted(phase, host, was) !== wanted(phase, host, is)) };
    })
    .filter((hostPhases) => hostPhases.phases.length > 0);
};

const wanted = (phase: Phase, host: ClusterHost, context: PhaseContext): string =>
  phase.appliesTo(host, context.cluster)
    ? JSON.stringify(
        phase
          .resources(host, context)
          .map((resource) => [resource.kind, kindOf(resource).id(resource), kindOf(resource).desired(resource)]),
      )
    : '[]';
