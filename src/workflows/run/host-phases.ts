import type { RunHosts } from '../../engine/observe.js';
import { select } from '../../engine/select.js';
import { type ClusterHost, isControlPlane, isNode } from '../../inventory/cluster.js';
import { routesTouchedByJoin } from '../../network/routes.js';
import { apply, init, join, phases } from '../../phases/index.js';
import type { Run } from './run.js';

/** The run's hosts and their phases. */
export const phasesByHost = ({
  workflow,
  cluster,
  joining = [],
  without,
  selection = {},
}: Pick<Run, 'workflow' | 'cluster' | 'joining' | 'without' | 'selection'>): RunHosts => {
  const members = cluster.hosts.filter(({ name }) => joining.includes(name));
  const target = {
    joining: new Set(joining),
    routed: new Set(members.flatMap((host) => routesTouchedByJoin(cluster, host))),
  };
  const { phasesOf } = { init, join, apply }[workflow];
  const runHosts = cluster.hosts
    .filter(({ name }) => !without?.has(name))
    .map((host) => ({
      host,
      phases: phasesOf(host, target).filter((phase) => phase.appliesTo(host, cluster)),
      all: phases.filter((phase) => phase.appliesTo(host, cluster)),
    }))
    .filter(({ phases }) => phases.length > 0);
  return select(
    runHosts,
    selection,
    phases.map(({ name }) => name),
  );
};

/** The nodes that a run is about. */
export const targetNodesOf = ({
  workflow,
  cluster,
  joining = [],
  without,
  selection = {},
}: Pick<Run, 'workflow' | 'cluster' | 'joining' | 'without' | 'selection'>): readonly ClusterHost[] =>
  cluster.hosts.filter((host) => {
    if (!isNode(host) || without?.has(host.name)) return false;
    if (workflow === 'join') return joining.includes(host.name);
    if (workflow === 'init') return isControlPlane(host);
    return selection.limit === undefined || selection.limit.includes(host.name) || isControlPlane(host);
  });
