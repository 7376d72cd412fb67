import type { Artifacts } from '../../artifacts/artifacts.js';
import type { Emit } from '../../engine/event.js';
import type { HostPlan, Plan } from '../../engine/plan.js';
import { type Itinerary, type Leg, type Survey, survey } from '../../engine/survey.js';
import { asLeft, undo, undoNames } from '../../engine/undo.js';
import { compare, type HostWork, toPlan, type Work } from '../../engine/work.js';
import { Failure, Failures } from '../../failure.js';
import type { Pool } from '../../hosts/pool.js';
import { type Cluster, type ClusterHost, isControlPlane, isNode } from '../../inventory/cluster.js';
import { phases } from '../../phases/index.js';
import type { Credentials } from '../../pki/credentials.js';
import { type Member, memberAt, membersOf, titleOf } from '../etcd/members.js';
import { type Speaker, speakerOf } from '../speaker.js';
import { staying } from './drain.js';
import type { Staying } from './pods.js';
import { type Leave, lonelyRefusals, quorumRefusals } from './refusals.js';

/** What a removal needs, opened. */
export interface Removing extends Leave {
  /** The cluster with those that leave, and as those that stay are to see it. */
  readonly before: Cluster;
  readonly after: Cluster;
  readonly leaving: readonly ClusterHost[];
  /** Those that stay and hear of it. */
  readonly hearers: Itinerary;
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
  readonly speaker?: Speaker;
  readonly members: readonly Member[];
  /** By node: the pods that have to move. */
  readonly pods: ReadonlyMap<string, readonly Staying[]>;
  /** What leaves each host as it was found; empty with `dead`. */
  readonly resets: Work;
  /** Changes of those that stay. */
  readonly news: Work;
  readonly seen: Survey;
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
  ...(dead ? [] : undoNames(legOf(host, cluster).phases)),
];

const legOf = (host: ClusterHost, cluster: Cluster): Leg => ({
  host,
  phases: phases.filter((phase) => phase.on(host, cluster)).map(asLeft),
});

/** Looks at everybody whom it concerns. Throws all that speaks against it at once. */
export const look = async (removing: Removing): Promise<Look> => {
  const { before, after, leaving, hearers, dead, pool, emit, signal } = removing;
  const limits = { signal, ...(removing.timeout === undefined ? {} : { timeout: removing.timeout }) };
  const ground = (cluster: Cluster) => ({
    cluster,
    credentials: removing.credentials,
    artifacts: removing.artifacts,
    startedAt: Math.floor(Date.now() / 1000),
    subjects: after.hosts.filter(isNode),
  });
  const observe = (host: ClusterHost) => pool.host(host);
  const legs = dead ? [] : leaving.map((host) => legOf(host, before));
  const known = leaving.some((host) => isNode(host) || isControlPlane(host));
  const [mine, theirs, speaker] = await Promise.all([
    survey(legs, ground(before), observe, emit, limits),
    survey(hearers, ground(after), observe, emit, limits),
    known ? speakerOf(after, pool, limits) : undefined,
  ]);
  refuseSilent(mine.unseen);
  const members = speaker && leaving.some(isControlPlane) ? await membersOf(speaker, before, limits) : [];
  const pods = new Map<string, readonly Staying[]>();
  if (speaker && !dead) {
    for (const host of leaving.filter(isNode)) pods.set(host.name, await staying({ node: host.name, speaker }));
  }
  const refused = [
    ...quorumRefusals(members, leaving, removing),
    ...leaving.flatMap((host) => lonelyRefusals(host, pods.get(host.name) ?? [], removing)),
  ];
  if (refused.length > 0) throw new Failures(refused);
  const resets = legs.map((leg): HostWork => ({ leg, phases: undo(leg, mine) }));
  const news = compare(hearers, theirs);
  const plan = planOf(removing, { members, pods, resets, news });
  return { ...(speaker ? { speaker } : {}), members, pods, resets, news, seen: theirs, plan };
};

const refuseSilent = (unseen: Survey['unseen']): void => {
  const failures = [...unseen].map(
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
