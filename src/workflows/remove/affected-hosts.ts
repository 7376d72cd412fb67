import type { Artifacts } from '../../artifacts/artifacts.js';
import type { RunHosts } from '../../engine/observe.js';
import { Failure } from '../../failure.js';
import type { Cluster, ClusterHost } from '../../inventory/cluster.js';
import { shortList, unknownName } from '../../inventory/did-you-mean.js';
import { compileRoutes } from '../../network/routes.js';
import { phases } from '../../phases/index.js';
import type { Phase, PhaseContext } from '../../phases/phase.js';
import { kindOf, nameOf } from '../../resources/registry.js';
import type { Resource } from '../../resources/resource.js';
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
    .map((host) => ({
      host,
      phases: phases
        .filter((phase) => wanted(phase, host, was) !== wanted(phase, host, is))
        .map((phase) => withPruning(phase, before)),
    }))
    .filter((hostPhases) => hostPhases.phases.length > 0);
};

/**
 * The phase, which also takes away what it wanted for the sake of those that leave, such as routes to their pods. Where
 * it does not concern a host any more without them, that is all it does there.
 */
export const withPruning = (phase: Phase, before: Cluster): Phase => ({
  ...phase,
  gates: (host, context) => (phase.appliesTo(host, context.cluster) ? (phase.gates?.(host, context) ?? []) : []),
  resources(host, context) {
    const kept = phase.appliesTo(host, context.cluster) ? phase.resources(host, context) : [];
    const keys = new Set(kept.map(nameOf));
    const had = phase.appliesTo(host, before) ? phase.resources(host, { ...context, cluster: before }) : [];
    const gone = had.flatMap((resource): readonly Resource[] =>
      resource.kind === 'absent' || keys.has(nameOf(resource)) ? [] : [{ kind: 'absent', resource }],
    );
    return [...kept, ...gone];
  },
});

const wanted = (phase: Phase, host: ClusterHost, context: PhaseContext): string =>
  phase.appliesTo(host, context.cluster)
    ? JSON.stringify(
        phase
          .resources(host, context)
          .map((resource) => [resource.kind, kindOf(resource).id(resource), kindOf(resource).desired(resource)]),
      )
    : '[]';
