import { defined } from '../../defined.js';
import { compare, toPlan } from '../../engine/compare.js';
import type { ExecutableHostPlan, ExecutablePlan, PhaseSteps } from '../../engine/executable-plan.js';
import { type HostPhases, type Observation, observe, observedFacts, type RunHosts } from '../../engine/observe.js';
import { operationSteps } from '../../engine/run-operation.js';
import { hostForUndo, undo, undoNames, undoNotes } from '../../engine/undo.js';
import { Failure, Failures } from '../../failure.js';
import type { RunOptions } from '../../hosts/host.js';
import {
  type Cluster,
  type ClusterHost,
  controlPlanes,
  hasEtcdMember,
  isControlPlane,
  isNode,
  nodes,
} from '../../inventory/cluster.js';
import { type ApiHost, selectApiHost } from '../../kubernetes/api-host.js';
import { drainOperation, evictablePods } from '../../kubernetes/drain.js';
import { type Member, memberAt, membersOf } from '../../kubernetes/etcd-members.js';
import type { PodToEvict } from '../../kubernetes/evictable-pods.js';
import { deleteNodeOperation, removeMemberOperation } from '../../kubernetes/leave-cluster.js';
import { phases } from '../../phases/index.js';
import type { PhaseReference } from '../../phases/phase.js';
import { requireArtifacts, requireOwnCluster, requireSameEtcd } from '../run/checks.js';
import type { PlannedRun, RunContext } from '../run/context.js';
import { limitsOf } from '../run/limits.js';
import { contextInputs, now } from '../run/phase-context.js';
import { announce } from '../run/run-events.js';
import { budgetFailures, quorumFailures, type RemovalMode, unmanagedPodFailures } from './checks.js';

/** Which hosts leave, how, and which of those that stay change with them. */
export interface RemovalScope extends RemovalMode {
  readonly leaving: readonly ClusterHost[];
  /** The cluster without them. */
  readonly after: Cluster;
  /** The hosts that stay and change, with the phases that do. */
  readonly affected: RunHosts;
}

/**
 * Plans a removal. Load balancers first stop sending clients to the API servers that end. Then one host after the other
 * leaves, so that its pods find room before the next one is drained. Then all are reset, while those that stay change.
 * Throws all that is in the way at once.
 */
export const planRemoval = async (run: RunContext, scope: RemovalScope): Promise<PlannedRun> => {
  announce(run, 'remove', outline(run.cluster, scope));
  const observed = await observeRemoval(run, scope);
  const facts = new Map([...observedFacts(observed.leaving), ...observedFacts(observed.affected)]);
  requireOwnCluster({ workflow: 'remove', cluster: run.cluster, facts, keyring: run.keyring }, run.skippedChecks);
  requireSameEtcd({ cluster: run.cluster, facts });
  requireArtifacts(observed.affected, run.skippedChecks);
  refuse(observed, scope);
  const work = workOf(run, scope, observed);
  return {
    plan: toPlan('remove', run.cluster.name, work),
    work,
    context: { ...observed.affected.context, credentials: await run.credentials },
    isNeeded: (name) => scope.leaving.some((host) => host.name === name),
  };
};

/** What a removal is planned from. */
interface Observed {
  /** Absent where no host leaves that the API or etcd knows. */
  readonly apiHost?: ApiHost;
  readonly members: readonly Member[];
  /** By node; none for one that has no Node object. */
  readonly pods: ReadonlyMap<string, readonly PodToEvict[]>;
  readonly leaving: Observation;
  readonly affected: Observation;
}

const observeRemoval = async (run: RunContext, { leaving, after, affected, dead }: RemovalScope): Promise<Observed> => {
  const { cluster, pool, emit, artifacts } = run;
  const limits = limitsOf(run);
  const credentials = await run.credentials;
  const inputs = (of: Cluster) =>
    contextInputs(of, artifacts, { credentials, startedAt: now(), targetNodes: nodes(after) });
  const open = (host: ClusterHost) => pool.host(host);
  const known = leaving.some((host) => isNode(host) || isControlPlane(host));
  const [ours, theirs, apiHost] = await Promise.all([
    observe(dead ? [] : leaving.map((host) => hostPhasesOf(host, cluster)), inputs(cluster), open, emit, limits),
    observe(affected, inputs(after), open, emit, limits),
    known ? selectApiHost(after, pool, limits) : undefined,
  ]);
  const [members, pods] = apiHost
    ? await Promise.all([
        leaving.some(isControlPlane) ? membersOf(apiHost, cluster, limits) : [],
        podsByNode(leaving.filter(isNode), apiHost, limits),
      ])
    : [[], new Map()];
  return { ...defined({ apiHost }), members, pods, leaving: ours, affected: theirs };
};

const podsByNode = async (
  hosts: readonly ClusterHost[],
  apiHost: ApiHost,
  limits: RunOptions,
): Promise<ReadonlyMap<string, readonly PodToEvict[]>> => {
  const found = await Promise.all(
    hosts.map(async ({ name }) => [name, await evictablePods(name, apiHost, limits)] as const),
  );
  return new Map(found.flatMap(([name, pods]) => (pods === undefined ? [] : [[name, pods] as const])));
};

const refuse = ({ leaving, members, pods }: Observed, scope: RemovalScope): void => {
  const silent = [...leaving.unreachable].map(([host, failure]) => notAnswering(host, failure));
  if (silent.length > 0) throw new Failures(silent);
  const refused = [
    ...quorumFailures(members, scope.leaving, scope),
    ...(scope.dead ? [] : scope.leaving.flatMap((host) => podFailures(host, pods.get(host.name) ?? [], scope))),
  ];
  if (refused.length > 0) throw new Failures(refused);
};

const podFailures = (host: ClusterHost, pods: readonly PodToEvict[], mode: RemovalMode): readonly Failure[] => [
  ...unmanagedPodFailures(host, pods, mode),
  ...budgetFailures(host, pods, mode),
];

const notAnswering = (host: string, cause: Failure): Failure =>
  new Failure('unreachable', `${host} does not answer`, {
    where: { host },
    why: [cause.message, ...cause.why],
    next: `bring it back; if it is gone for good: kbs remove --dead ${host}`,
    cause,
  });

const workOf = (run: RunContext, scope: RemovalScope, observed: Observed): ExecutablePlan => {
  const updates = compare(scope.affected, observed.affected);
  requireBalancers(updates, scope);
  const balanced = updates.flatMap(({ hostPhases, phases: steps }) =>
    steps.some(isBalancer) ? [{ host: hostPhases.host.name, phase: 'load-balancer' }] : [],
  );
  const leaves = scope.leaving.map((host) => {
    const hostPhases = hostPhasesOf(host, run.cluster);
    const undone = scope.dead ? [] : undo(hostPhases, observed.leaving);
    const steps = leaveSteps(host, run, scope, observed, { apiServer: undone.filter(isApiServer), balanced });
    return { hostPhases, steps, resets: undone.filter((each) => !isApiServer(each)) };
  });
  const left = leaves.flatMap(({ hostPhases, steps }): readonly PhaseReference[] => {
    const last = steps.at(-1);
    return last ? [{ host: hostPhases.host.name, phase: last.phase.name }] : [];
  });
  return [
    ...leaves.map(({ hostPhases, steps, resets }): ExecutableHostPlan => {
      const notes = scope.dead ? [] : undoNotes(hostPhases, observed.leaving);
      return {
        hostPhases,
        phases: [...steps, ...resets.map((each) => ({ ...each, after: left }))],
        ...(notes.length > 0 ? { notes } : {}),
      };
    }),
    ...updates.map((host) => ({ ...host, phases: balancersFirst(host.phases, left) })),
  ];
};

/** Load balancers change before any host leaves, and everything else after all have left. */
const balancersFirst = (steps: readonly PhaseSteps[], left: readonly PhaseReference[]): readonly PhaseSteps[] => [
  ...steps.filter(isBalancer),
  ...steps.filter((each) => !isBalancer(each)).map((each) => ({ ...each, after: [...(each.after ?? []), ...left] })),
];

/**
 * What takes a host out of the cluster, one host at a time. Its API server ends while its etcd member still answers, so
 * that it can take itself out of the Service `kubernetes`.
 */
const leaveSteps = (
  host: ClusterHost,
  run: RunContext,
  scope: RemovalScope,
  { apiHost, members, pods }: Observed,
  { apiServer, balanced }: { readonly apiServer: readonly PhaseSteps[]; readonly balanced: readonly PhaseReference[] },
): readonly PhaseSteps[] => {
  if (apiHost === undefined) return [];
  const { dead, force } = scope;
  const { timeout = 300_000 } = run;
  const staying = controlPlanes(scope.after);
  const order = {
    rolling: { group: 'removal', preconditions: [], healthy: [] } as const,
    after: balanced.map((each) => ({ ...each, ...(force ? { mayFail: true as const } : {}) })),
  };
  const steps: PhaseSteps[] = [];
  const evicted = pods.get(host.name);
  if (isNode(host) && !dead && evicted) {
    const options = { timeoutSeconds: Math.ceil(timeout / 1000), force };
    steps.push(operationSteps(drainOperation(host.name, apiHost, evicted, options), order));
  }
  const member = isControlPlane(host) ? memberAt(members, host) : undefined;
  steps.push(...apiServer.map((each) => ({ ...each, ...order })));
  if (member) steps.push(operationSteps(removeMemberOperation(host, apiHost, { member, members, staying }), order));
  if (isNode(host) && evicted) steps.push(operationSteps(deleteNodeOperation(host, apiHost, dead), order));
  return steps;
};

/** A load balancer that is up and keeps its old settings would send clients to API servers that are gone. */
const requireBalancers = (updates: ExecutablePlan, { force }: RemovalScope): void => {
  if (force) return;
  const failures = updates.flatMap(({ hostPhases, unreachable }) =>
    unreachable && unreachable.code !== 'unreachable' && hostPhases.phases.some(({ name }) => name === 'load-balancer')
      ? [unreachable]
      : [],
  );
  if (failures.length > 0) throw new Failures(failures);
};

const isBalancer = ({ phase }: PhaseSteps): boolean => phase.name === 'load-balancer';
const isApiServer = ({ phase }: PhaseSteps): boolean => phase.name === 'control-plane';

const hostPhasesOf = (host: ClusterHost, cluster: Cluster): HostPhases => hostForUndo(host, cluster, phases);

const outline = (cluster: Cluster, { leaving, affected, dead }: RemovalScope) => [
  ...leaving.map((host) => ({
    host,
    phases: [
      ...(isNode(host) && !dead ? ['drain'] : []),
      ...(isControlPlane(host) && !dead ? ['control-plane'] : []),
      ...(hasEtcdMember(host, cluster) ? ['remove-member'] : []),
      ...(isNode(host) ? ['delete-node'] : []),
      ...(dead ? [] : undoNames(hostPhasesOf(host, cluster).phases).filter((name) => name !== 'control-plane')),
    ].map((name) => ({ name })),
  })),
  ...affected,
];
