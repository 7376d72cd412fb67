import { apply, type Outcome } from '../../engine/apply.js';
import type { ExecutablePlan, HostWorkPlan, PhaseSteps } from '../../engine/compare.js';
import type { Emit, Summary } from '../../engine/event.js';
import type { Plan } from '../../engine/plan.js';
import { Failures, toProblem } from '../../failure.js';
import { type ClusterHost, isControlPlane, isNode } from '../../inventory/cluster.js';
import { drain } from '../../kubernetes/drain.js';
import { deleteNode, leaveEtcd } from '../../kubernetes/leave-cluster.js';
import { ensureKeyring, forgetHost, keyringDirectory, readKeyring } from '../../pki/keyring.js';
import { type LoadedCluster, openArtifacts, openArtifactsOrPlaceholders } from '../load-cluster.js';
import { withPool } from '../run/launch.js';
import { holdingLock } from '../run/lock.js';
import { foreseePodCidrs } from '../run/pod-cidrs.js';
import { type Removed, reported, stepped } from '../run/run-events.js';
import { affectedHosts, clusterWithout, removedHosts } from './affected-hosts.js';
import { refusals } from './checks.js';
import { type InventoryRemoval, removeFromInventory, write } from './inventory.js';
import { drainStep, type Look, look, memberStep, nodeStep, type Removing } from './plan.js';

export interface Removal {
  readonly names: readonly string[];
  readonly dead: boolean;
  readonly force: boolean;
  /** Takes dead hosts out of the inventory too. */
  readonly forget: boolean;
  readonly acceptNewHostKeys: boolean;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  /** Milliseconds: the longest wait for one step. */
  readonly timeout?: number;
}

/**
 * Takes hosts out of a cluster: nobody asks them any more, their pods move, etcd and the API forget them, and they are
 * left as they were found. Killed anywhere, the same again finishes. Throws, before anything is touched, all that speaks
 * against it.
 */
export const remove = async (given: LoadedCluster, removal: Removal): Promise<Removed> => {
  const opened = await foreseePodCidrs(given, () => {});
  const parts = await partsOf(opened, removal);
  const artifacts = await openArtifacts(opened);
  const { cluster, inventory, state } = opened;
  const keyring = keyringDirectory(inventory, cluster.name);
  return holdingLock({ directory: state, command: 'remove', say: removal.say }, () =>
    withPool(removal.acceptNewHostKeys, async (pool) => {
      const credentials = await ensureKeyring(keyring, cluster, new Date());
      const context = { ...removal, ...parts, affected: parts.affected(artifacts), credentials, artifacts, pool };
      return reported(context, async () => {
        const seen = await look(context);
        const skipped = await carryOut(context, seen);
        for (const { name } of parts.leaving) await forgetHost(keyring, name);
        await write(parts.parting, removal.names, removal.say);
        return { plan: seen.plan, skipped };
      });
    }),
  );
};

/** The same without changing anything, here or there. */
export const foreseeRemoval = async (given: LoadedCluster, removal: Removal): Promise<Plan> => {
  const opened = await foreseePodCidrs(given, removal.say);
  const parts = await partsOf(opened, removal);
  const artifacts = await openArtifactsOrPlaceholders(opened, removal.say);
  const { cluster, inventory } = opened;
  const { credentials } = await readKeyring(keyringDirectory(inventory, cluster.name), cluster, new Date());
  return withPool(removal.acceptNewHostKeys, async (pool) => {
    const context = { ...removal, ...parts, affected: parts.affected(artifacts), credentials, artifacts, pool };
    const { plan } = await reported(context, async () => ({ plan: (await look(context)).plan, skipped: [] }), true);
    if ('stay' in parts.parting) removal.say(`${parts.parting.stay}; ${parts.parting.next}`);
    else removal.say(`would be taken out of ${inventory}: ${removal.names.join(', ')}`);
    return plan;
  });
};

interface Parts extends Pick<Removing, 'before' | 'after' | 'leaving'> {
  readonly parting: InventoryRemoval;
  readonly affected: (artifacts: Removing['artifacts']) => Removing['affected'];
}

/** Where a new machine is to take the place of a dead one, the others go on as the inventory says. */
const partsOf = async (opened: LoadedCluster, removal: Removal): Promise<Parts> => {
  const { cluster: before } = opened;
  const leaving = removedHosts(before, removal.names);
  const after = clusterWithout(before, leaving);
  const refused = refusals(before, after, leaving, removal);
  if (refused.length > 0) throw new Failures(refused);
  const parting = await removeFromInventory(opened, removal.names, removal);
  const replaced = removal.dead && 'stay' in parting;
  return {
    before,
    after,
    leaving,
    parting,
    affected: (artifacts) => (replaced ? [] : affectedHosts(before, after, artifacts)),
  };
};

/**
 * Load balancers first, so that no client is sent to an API server that is about to end. Then one host after the other
 * is taken out, so that its pods find room before the next one is emptied. In the end all are reset at once, while those
 * that stay hear of it. Gives the hosts that stay and could not be told.
 */
const carryOut = async (removal: Removing, seen: Look): Promise<Summary['skipped']> => {
  const [first, later] = parted(seen.news);
  const early = await walk(first, removal, seen);
  refuseDeaf(early, removal);
  for (const host of removal.leaving) await takeOut(host, removal, seen);
  const resets = seen.resets.map((work) => ({ ...work, phases: work.phases.filter((part) => !isApiServers(part)) }));
  const outcome = await walk([...resets, ...later], removal, seen);
  const failed = [...early, ...outcome].flatMap(([name, failure]) => (failure ? [{ name, failure }] : []));
  const fatal = failed.filter(
    ({ name, failure }) => failure.code === 'interrupted' || removal.leaving.some((host) => host.name === name),
  );
  if (fatal.length > 0) throw new Failures(fatal.map(({ failure }) => failure));
  return failed.map(({ name, failure }) => ({ host: name, problem: toProblem(failure) }));
};

/** One that is down sends nobody anywhere; one that goes on as before would send clients to who is no more. */
const refuseDeaf = (early: Outcome, { force }: Removing): void => {
  const deaf = [...early.values()].filter((failure) => failure !== undefined && failure.code !== 'unreachable');
  if (deaf.length > 0 && !force) throw new Failures(deaf.filter((failure) => failure !== undefined));
};

/** What load balancers change, and what everybody changes besides. */
const parted = (news: ExecutablePlan): readonly [ExecutablePlan, ExecutablePlan] => {
  const isFirst = ({ phase }: PhaseSteps) => phase.name === 'load-balancer';
  const only = (keep: (work: PhaseSteps) => boolean): ExecutablePlan =>
    news.map((work) => ({ ...work, phases: work.phases.filter(keep) }));
  const concerned = (work: HostWorkPlan) => work.phases.length > 0 || work.unreachable !== undefined;
  return [only(isFirst).filter(({ phases }) => phases.length > 0), only((work) => !isFirst(work)).filter(concerned)];
};

const isApiServers = ({ phase }: PhaseSteps): boolean => phase.name === 'control-plane';

const walk = (
  work: ExecutablePlan,
  { pool, emit, signal, timeout }: Removing,
  { seen: { context } }: Look,
): Promise<Outcome> =>
  apply(work, {
    context,
    emit,
    signal,
    open: (host) => pool.host(host),
    ...(timeout === undefined ? {} : { timeout }),
  });

/** The API server ends while its etcd member can still say that it is gone: then no pod is sent to it any more. */
const takeOut = async (host: ClusterHost, removal: Removing, seen: Look): Promise<void> => {
  const { apiHost } = seen;
  if (apiHost === undefined) return;
  const { dead, force, emit, signal, timeout = 300_000 } = removal;
  const step = (phase: string, work: () => Promise<number>) => stepped(host, phase, removal, work);
  if (isNode(host) && !dead) {
    const timeoutSeconds = Math.ceil(timeout / 1000);
    await step(drainStep, () =>
      drain({ node: host.name, phase: drainStep, apiHost, emit, signal, timeoutSeconds, force }),
    );
  }
  if (isControlPlane(host)) {
    const ending = seen.resets
      .filter(({ hostPhases }) => hostPhases.host === host)
      .map((work) => ({ ...work, phases: work.phases.filter(isApiServers) }));
    const [failure] = [...(await walk(ending, removal, seen)).values()].filter((one) => one !== undefined);
    if (failure) throw failure;
    await step(memberStep, () => leaveEtcd(host, removal, apiHost));
  }
  if (isNode(host)) await step(nodeStep, () => deleteNode(host, apiHost, dead));
};
