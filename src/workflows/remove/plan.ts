import type { Artifacts } from '../../artifacts/artifacts.js';
import { compare, type ExecutablePlan, type HostWorkPlan, toPlan } from '../../engine/compare.js';
import type { Emit } from '../../engine/event.js';
import { type HostPhases, type Observation, observe, type RunHosts } from '../../engine/observe.js';
import type { HostPlan, Plan } from '../../engine/plan.js';
import { hostForUndo, undo, undoNames } from '../../engine/undo.js';
import { Failure, Failures } from '../../failure.js';
import type { Pool } from '../../hosts/pool.js';
import { type Cluster, type ClusterHost, isControlPlane, isNode } from '../../inventory/cluster.js';
import { type ApiHost, selectApiHost } from '../../kubernetes/api-host.js';
import { evictablePods } from '../../kubernetes/drain.js';
import { type Member, memberAt, membersOf, titleOf } from '../../kubernetes/etcd-members.js';
import type { PodToEvict } from '../../kubernetes/evictable-pods.js';
import { phases } from '../../phases/index.js';
import type { Credentials } from '../../pki/credentials.js';
import { type Leave, lonelyRefusals, quorumRefusals } from './checks.js';

/** What a removal needs, opened. */
export interface Removing extends Leave {
  /** The cluster with those that leave, and as those that stay are to see it. */
  readonly before: Cluster;
  readonly after: Cluster;
  readonly leaving: readonly ClusterHost[];
  /** Those that stay and hear of it. */
  readonly affected: RunHosts;
  readonly credentials: Credentials;
  readonly artifacts: Artifacts;
  readonly pool: Pool;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly timeout?: number;
}

/** What was seen, and what follows. Nothing has been changed. */
export interface Look {
  /** Absent where nobody leaves who is known to the API or to etcd. */
  readonly apiHost?: ApiHost;
  readonly members: readonly Member[];
  /** By node: the pods that have to move. */
  readonly pods: ReadonlyMap<string, readonly PodToEvict[]>;
  /** What leaves each host as it was found; empty with `dead`. */
  readonly resets: ExecutablePlan;
  /** Changes of those that stay. */
  readonly news: ExecutablePlan;
  readonly seen: Observation;
  readonly plan: Plan;
}

/** The steps that go through the host that speaks for the cluster, by the names that events have. */
export const drainStep = 'drain';
export const memberStep = 'etcd-member';
export const nodeStep = 'node';

/** What a host walks through that leaves. */
export const stepsOf = (host: ClusterHost, cluster: Cluster, { dead }: Leave): readonly string[] => [
  ...(isNode(host) && !dead ? [drainStep] : []),
  ...(isControlPlane(host) ? [memberStep] : []),
  ...(isNode(host) ? [nodeStep] : []),
  ...(dead ? [] : undoNames(hostPhasesOf(host, cluster).phases)),
];

const hostPhasesOf = (host: ClusterHost, cluster: Cluster): HostPhases =>
  hostForUndo(
    host,
    phases.filter((phase) => phase.appliesTo(host, cluster)),
  );

/** Looks at everybody whom it concerns. Throws all that speaks against it at once. */
export const look = async (removal: Removing): Promise<Look> => {
  const { before, after, leaving, affected, dead, pool, emit, signal } = removal;
  const limits = { signal, ...(removal.timeout === undefined ? {} : { timeout: removal.timeout }) };
  const ground = (cluster: Cluster) => ({
    cluster,
    credentials: removal.credentials,
    artifacts: removal.artifacts,
    startedAt: Math.floor(Date.now() / 1000),
    targetNodes: after.hosts.filter(isNode),
  });
  const open = (host: ClusterHost) => pool.host(host);
  const runHosts = dead ? [] : leaving.map((host) => hostPhasesOf(host, before));
  const known = leaving.some((host) => isNode(host) || isControlPlane(host));
  const [mine, theirs, apiHost] = await Promise.all([
    observe(runHosts, ground(before), open, emit, limits),
    observe(affected, ground(after), open, emit, limits),
    known ? selectApiHost(after, pool, limits) : undefined,
  ]);
  refuseSilent(mine.unreachable);
  const members = apiHost && leaving.some(isControlPlane) ? await membersOf(apiHost, before, limits) : [];
  const pods = new Map<string, readonly PodToEvict[]>();
  if (apiHost && !dead) {
    for (const host of leaving.filter(isNode)) pods.set(host.name, await evictablePods({ node: host.name, apiHost }));
  }
  const refused = [
    ...quorumRefusals(members, leaving, removal),
    ...leaving.flatMap((host) => lonelyRefusals(host, pods.get(host.name) ?? [], removal)),
  ];
  if (refused.length > 0) throw new Failures(refused);
  const resets = runHosts.map((hostPhases): HostWorkPlan => ({ hostPhases, phases: undo(hostPhases, mine) }));
  const news = compare(affected, theirs);
  const plan = planOf(removal, { members, pods, resets, news });
  return { ...(apiHost ? { apiHost } : {}), members, pods, resets, news, seen: theirs, plan };
};

const refuseSilent = (unreachable: Observation['unreachable']): void => {
  const failures = [...unreachable].map(
    ([host, failure]) =>
      new Failure('unreachable', `${host} does not answer`, {
        where: { host },
        why: [failure.message, ...failure.why],
        next: `bring it back; if it is gone for good: kbs remove --dead ${host}`,
        cause: failure,
      }),
  );
  if (failures.length > 0) throw new Failures(failures);
};

/** The whole removal as a plan: what goes through the API and etcd is shown as changes of the host that leaves. */
const planOf = (
  { before, leaving, dead, force }: Removing,
  { members, pods, resets, news }: Pick<Look, 'members' | 'pods' | 'resets' | 'news'>,
): Plan => {
  const reset = new Map(toPlan('remove', before.name, resets).hosts.map((host) => [host.host, host.phases]));
  const remove = (kind: string, id: string) => ({ kind, id, action: 'remove', differences: [] }) as const;
  const hosts = leaving.map((host): HostPlan => {
    const member = memberAt(members, host);
    const moving = (pods.get(host.name) ?? []).map(({ pod }) => remove('pod', pod));
    const steps = {
      [drainStep]: moving,
      [memberStep]: member ? [remove('member', titleOf(member))] : [],
      [nodeStep]: isNode(host) ? [remove('object', `Node/${host.name}`)] : [],
    };
    const walked = stepsOf(host, before, { dead, force });
    return {
      host: host.name,
      phases: [
        ...Object.entries(steps)
          .filter(([phase, changes]) => walked.includes(phase) && changes.length > 0)
          .map(([phase, changes]) => ({ phase, changes })),
        ...(reset.get(host.name) ?? []),
      ],
    };
  });
  return { workflow: 'remove', cluster: before.name, hosts: [...hosts, ...toPlan('remove', before.name, news).hosts] };
};
