import type { Summary } from '../../engine/event.js';
import { changesOf, isEmpty, type Plan } from '../../engine/plan.js';
import { Failure } from '../../failure.js';
import { openPool, type Pool } from '../../hosts/pool.js';
import { saveInventory } from '../../inventory/edit.js';
import { ensureKeyring, keyringDirectory, readKeyring } from '../../pki/keyring.js';
import { keepKubeconfig } from '../kubeconfig.js';
import { type LoadedCluster, openArtifacts, openArtifactsOrPlaceholders } from '../load-cluster.js';
import { routerAdvice } from '../routers.js';
import { requireSupported } from '../unsupported-features.js';
import { holdingLock } from './lock.js';
import { foreseePodCidrs, keepPodCidrs, recordPodCidrs } from './pod-cidrs.js';
import { awayIn, carryOut, type Prepared, prepare, type Run } from './run.js';

export interface Launch
  extends Pick<
    Run,
    'workflow' | 'emit' | 'signal' | 'joining' | 'selection' | 'skippedChecks' | 'snapshot' | 'timeout'
  > {
  readonly acceptNewHostKeys: boolean;
  /** For sentences to the operator that belong to no event. */
  readonly say: (text: string) => void;
  /** A plan that was saved before: done exactly so, or not at all. */
  readonly saved?: Plan;
  /** The caller holds the operator's lock. */
  readonly locked?: boolean;
}

export interface Launched {
  readonly prepared: Prepared;
  readonly summary: Summary;
  /** How many commands ran on each host that was contacted. */
  readonly execs: Readonly<Record<string, number>>;
}

/** Runs a workflow: everything of this machine is opened and checked before the first host is contacted. */
export const launch = async (
  opened: LoadedCluster,
  { acceptNewHostKeys, saved, locked = false, say, ...options }: Launch,
): Promise<Launched> => {
  const { inventory, state } = opened;
  requireSupported(opened.cluster);
  const artifacts = await openArtifacts(opened);
  const work = async (): Promise<Launched> => {
    const kept = await keepPodCidrs(await written(opened, say), say);
    const { cluster } = kept;
    const keyring = keyringDirectory(inventory, cluster.name);
    // A damaged keyring is told before a host is contacted; new keys are made while the hosts are looked at.
    const { identity } = await readKeyring(keyring, cluster, new Date());
    const credentials = ensureKeyring(keyring, cluster, new Date());
    return withPool(acceptNewHostKeys, async (pool) => {
      const run: Run = { ...options, cluster, keyring: identity, credentials, artifacts, pool };
      const prepared = await prepare(run);
      refuseIfMoved(prepared.plan, saved);
      await recordPodCidrs(kept);
      // Before the deed: whoever looks into a run that failed half way needs it most.
      const kubeconfig = await keepKubeconfig(opened, await credentials);
      const summary = await carryOut(run, prepared);
      if (kubeconfig) say(`the administrator's kubeconfig is in ${kubeconfig}`);
      const advice = routerAdvice(cluster);
      if (advice && !isEmpty(prepared.plan)) say(advice);
      return { prepared, summary, execs: Object.fromEntries(pool.commands()) };
    });
  };
  return locked ? work() : holdingLock({ directory: state, command: options.workflow, say }, work);
};

/**
 * What a workflow would change. Nothing is written, here or on any host; only for an `exact` plan, one that is to be
 * saved and applied later, the keyring issues what it lacks, and the artifacts must be there. Throws where a `saved` plan
 * holds no longer.
 */
export const foresee = async (
  opened: LoadedCluster,
  { acceptNewHostKeys, say, saved, exact = false, ...options }: Launch & { readonly exact?: boolean },
): Promise<Prepared> => {
  const { inventory } = opened;
  requireSupported(opened.cluster);
  const { cluster } = await foreseePodCidrs(opened, say);
  const artifacts = exact || saved ? await openArtifacts(opened) : await openArtifactsOrPlaceholders(opened, say);
  const keyring = keyringDirectory(inventory, cluster.name);
  const { identity, ...read } = await readKeyring(keyring, cluster, new Date());
  const credentials = exact ? await ensureKeyring(keyring, cluster, new Date()) : read.credentials;
  return withPool(acceptNewHostKeys, async (pool) => {
    const prepared = await prepare({ ...options, cluster, keyring: identity, credentials, artifacts, pool });
    options.emit({
      type: 'run',
      state: 'done',
      summary: foreseen(prepared),
    });
    refuseIfMoved(prepared.plan, saved);
    return prepared;
  });
};

const foreseen = ({ plan, work, begun }: Prepared): Summary => ({
  changes: 0,
  pending: changesOf(plan).length,
  hosts: work.length,
  skipped: awayIn(plan),
  ms: Date.now() - begun,
});

/** Writes an inventory that was only in memory until the operator agreed. */
const written = async ({ unsaved, ...opened }: LoadedCluster, say: (text: string) => void): Promise<LoadedCluster> => {
  if (unsaved === undefined) return opened;
  await saveInventory(opened.inventory, unsaved);
  say(`wrote ${opened.inventory}`);
  return opened;
};

export const withPool = async <T>(acceptNewHostKeys: boolean, work: (pool: Pool) => Promise<T>): Promise<T> => {
  const pool = openPool({ acceptNewHostKeys });
  try {
    return await work(pool);
  } finally {
    await pool.close();
  }
};

const refuseIfMoved = (plan: Plan, saved: Plan | undefined): void => {
  if (saved === undefined || isEmpty(plan)) return;
  if (JSON.stringify(plan.hosts) === JSON.stringify(saved.hosts)) return;
  throw new Failure('refused', 'the hosts or the inventory have changed since this plan was saved', {
    next: 'look at a new plan: kbs plan -o plan.json',
  });
};
