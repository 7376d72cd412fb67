import { defined } from '../../defined.js';
import type { PurgedAddon } from '../../engine/host-phases.js';
import type { RunHosts } from '../../engine/observe.js';
import { type Selection, select } from '../../engine/select.js';
import { type Cluster, type ClusterHost, isNode, loadBalancers } from '../../inventory/cluster.js';
import { forwardsOf } from '../../inventory/lan-services.js';
import { routesTouchedByJoin } from '../../network/routes.js';
import { phases } from '../../phases/index.js';
import type { PhaseWorkflow, Target } from './phase-workflow.js';

/** What decides which hosts and phases are in a run. */
export interface Scope {
  readonly cluster: Cluster;
  /** The nodes that join; for `join` only. */
  readonly joining?: readonly string[];
  /** Hosts that the run goes on without. */
  readonly without?: ReadonlySet<string>;
  readonly selection?: Selection;
  /** Add-ons that are uninstalled with `--purge`: their CRDs and PersistentVolumeClaims are deleted too. */
  readonly purges?: readonly PurgedAddon[];
}

/** The hosts of a run, each with its phases. */
export const phasesByHost = (workflow: PhaseWorkflow, scope: Scope): RunHosts => {
  const { cluster, without, selection = {}, purges } = scope;
  const target = targetOf(scope);
  const hosts = cluster.hosts
    .filter(({ name }) => !without?.has(name))
    .map((host) => ({
      host,
      phases: workflow.phasesOf(host, target).filter((phase) => phase.appliesTo(host, cluster)),
      all: phases.filter((phase) => phase.appliesTo(host, cluster)),
      ...defined({ purges }),
    }))
    .filter((each) => each.phases.length > 0);
  return select(
    hosts,
    selection,
    phases.map(({ name }) => name),
  );
};

/** The nodes that a run is about. */
export const targetNodesOf = (workflow: PhaseWorkflow, scope: Scope): readonly ClusterHost[] => {
  const target = targetOf(scope);
  return scope.cluster.hosts.filter(
    (host) => isNode(host) && !scope.without?.has(host.name) && workflow.isTarget(host, target),
  );
};

const targetOf = ({ cluster, joining = [], selection = {} }: Scope): Target => {
  const joins = cluster.hosts.filter(({ name }) => joining.includes(name));
  const isForwardedTo = forwardsOf(cluster).some(({ targets }) => joins.some((host) => targets.includes(host)));
  return {
    joining: new Set(joining),
    routed: new Set(joins.flatMap((host) => routesTouchedByJoin(cluster, host))),
    forwarding: new Set(isForwardedTo ? loadBalancers(cluster).map(({ name }) => name) : []),
    selection,
  };
};
