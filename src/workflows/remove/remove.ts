import { apply, type Outcome } from '../../engine/apply.js';
import type { Emit, Summary } from '../../engine/event.js';
import type { Plan } from '../../engine/plan.js';
import type { HostWork, PhaseWork, Work } from '../../engine/work.js';
import { Failures } from '../../failure.js';
import { type ClusterHost, isControlPlane, isNode } from '../../inventory/cluster.js';
import { ensureKeyring, forgetHost, keyringDirectory, readKeyring } from '../../pki/keyring.js';
import { withPool } from '../launch.js';
import { holdingLock } from '../lock.js';
import { type Opened, openArtifacts, openArtifactsOrPlaceholders } from '../open.js';
import { foreseePodCidrs } from '../pod-cidrs.js';
import { drain } from './drain.js';
import { type Farewell, farewell, write } from './inventory.js';
import { drainStep, type Look, look, memberStep, nodeStep, type Removing } from './look.js';
import { deleteNode, leaveEtcd } from './membership.js';
import { refusals } from './refusals.js';
import { type Removed, reported, stepped } from './told.js';
import { clusterWithout, whoHears, whoLeaves } from './whom.js';

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
export const remove = async (given: Opened, removal: Removal): Promise<Removed> => {
  const opened = await foreseePodCidrs(given, () => {});
  const parts = await partsOf(opened, removal);
  const artifacts = await openArtifacts(opened);
  const { cluster, inventory, state } = opened;
  const keyring = keyringDirectory(inventory, cluster.name);
  return holdingLock({ directory: state, command: 'remove', say: removal.say }, () =>
    withPool(removal.acceptNewHostKeys, async (pool) => {
      const credentials = await ensureKeyring(keyring, cluster, new Date());
      const removing = { ...removal, ...parts, hearers: parts.hearers(artifacts), credentials, artifacts, pool };
      return reported(removing, async () => {
        const seen = await look(removing);
        const aside = await carryOut(removing, seen);
        for (const { name } of parts.leaving) await forgetHost(keyring, name);
        await write(parts.parting, removal.names, removal.say);
        return { plan: seen.plan, aside };
      });
    }),
  );
};

/** The same without changing anything, here or there. */
export const foreseeRemoval = async (given: Opened, removal: Removal): Promise<Plan> => {
  const opened = await foreseePodCidrs(given, removal.say);
  const parts = await partsOf(opened, removal);
  const artifacts = await openArtifactsOrPlaceholders(opened, removal.say);
  const { cluster, inventory } = opened;
  const { credentials } = await readKeyring(keyringDirectory(inventory, cluster.name), cluster, new Date());
  return withPool(removal.acceptNewHostKeys, async (pool) => {
    const removing = { ...removal, ...parts, hearers: parts.hearers(artifacts), credentials, artifacts, pool };
    const { plan } = await reported(removing, async () => ({ plan: (await look(removing)).plan, aside: [] }), true);
    if ('stay' in parts.parting) removal.say(`${parts.parting.stay}; ${parts.parting.next}`);
    else removal.say(`would be taken out of ${inventory}: ${removal.names.join(', ')}`);
    return plan;
  });
};

interface Parts extends Pick<Removing, 'before' | 'after' | 'leaving'> {
  readonly parting: Farewell;
  readonly hearers: (artifacts: Removing['artifacts']) => Removing['hearers'];
}

/** Where a new machine is to take the place of a dead one, the others go on as the inventory says. */
const partsOf = async (opened: Opened, removal: Removal): Promise<Parts> => {
  const { cluster: before } = opened;
  const leaving = whoLeaves(before, removal.names);
  const after = clusterWithout(before, leaving);
  const refused = refusals(before, after, leaving, removal);
  if (refused.length > 0) throw new Failures(refused);
  const parting = await farewell(opened, removal.names, removal);
  const replaced = removal.dead && 'stay' in parting;
  return {
    before,
    after,
    leaving,
    parting,
    hearers: (artifacts) => (replaced ? [] : whoHears(before, after, artifacts)),
  };
};

/**
 * Load balancers first, so that no client is sent to an API server that is about to end. Then one host after the other
 * is taken out, so that its pods find room before the next one is emptied. In the end all are reset at once, while those
 * that stay hear of it. Gives the hosts that stay and could not be told.
 */
const carryOut = async (removing: Removing, seen: Look): Promise<Summary['aside']> => {
  const [first, later] = parted(seen.news);
  const early = await walk(first, removing, seen);
  refuseDeaf(early, removing);
  for (const host of removing.leaving) await takeOut(host, removing, seen);
  const resets = seen.resets.map((work) => ({ ...work, phases: work.phases.filter((part) => !isApiServers(part)) }));
  const outcome = await walk([...resets, ...later], removing, seen);
  const failed = [...early, ...outcome].flatMap(([name, failure]) => (failure ? [{ name, failure }] : []));
  const fatal = failed.filter(
    ({ name, failure }) => failure.code === 'interrupted' || removing.leaving.some((host) => host.name === name),
  );
  if (fatal.length > 0) throw new Failures(fatal.map(({ failure }) => failure));
  return failed.map(({ name, failure }) => ({ host: name, reason: failure.message }));
};

/** One that is down sends nobody anywhere; one that goes on as before would send clients to who is no more. */
const refuseDeaf = (early: Outcome, { force }: Removing): void => {
  const deaf = [...early.values()].filter((failure) => failure !== undefined && failure.code !== 'unreachable');
  if (deaf.length > 0 && !force) throw new Failures(deaf.filter((failure) => failure !== undefined));
};

/** What load balancers change, and what everybody changes besides. */
const parted = (news: Work): readonly [Work, Work] => {
  const isFirst = ({ phase }: PhaseWork) => phase.name === 'load-balancer';
  const only = (keep: (work: PhaseWork) => boolean): Work =>
    news.map((work) => ({ ...work, phases: work.phases.filter(keep) }));
  const concerned = (work: HostWork) => work.phases.length > 0 || work.unreachable !== undefined;
  return [only(isFirst).filter(({ phases }) => phases.length > 0), only((work) => !isFirst(work)).filter(concerned)];
};

const isApiServers = ({ phase }: PhaseWork): boolean => phase.name === 'control-plane';

const walk = (work: Work, { pool, emit, signal, timeout }: Removing, { seen: { site } }: Look): Promise<Outcome> =>
  apply(work, {
    site,
    emit,
    signal,
    open: (host) => pool.host(host),
    ...(timeout === undefined ? {} : { timeout }),
  });

/** The API server ends while its etcd member can still say that it is gone: then no pod is sent to it any more. */
const takeOut = async (host: ClusterHost, removing: Removing, seen: Look): Promise<void> => {
  const { speaker } = seen;
  if (speaker === undefined) return;
  const { dead, force, emit, signal, timeout = 300_000 } = removing;
  const step = (phase: string, work: () => Promise<number>) => stepped(host, phase, removing, work);
  if (isNode(host) && !dead) {
    const patience = Math.ceil(timeout / 1000);
    await step(drainStep, () => drain({ node: host.name, phase: drainStep, speaker, emit, signal, patience, force }));
  }
  if (isControlPlane(host)) {
    const ending = seen.resets
      .filter(({ leg }) => leg.host === host)
      .map((work) => ({ ...work, phases: work.phases.filter(isApiServers) }));
    const [failure] = [...(await walk(ending, removing, seen)).values()].filter((one) => one !== undefined);
    if (failure) throw failure;
    await step(memberStep, () => leaveEtcd(host, removing, speaker));
  }
  if (isNode(host)) await step(nodeStep, () => deleteNode(host, speaker, dead));
};
