import type { Artifacts } from '../../artifacts/artifacts.js';
import { placeholderArtifacts } from '../../artifacts/placeholder.js';
import { defined } from '../../defined.js';
import type { Summary } from '../../engine/event.js';
import { isEmpty, type Plan } from '../../engine/plan.js';
import { Failure } from '../../failure.js';
import type { Pool } from '../../hosts/pool.js';
import { askNodeCidrs } from '../../kubernetes/node-cidrs.js';
import { keyringDirectory, prepareKeyring, readKeyring } from '../../pki/keyring.js';
import { downloadMissingBundle, openArtifacts, openArtifactsOrPlaceholders } from '../cluster-artifacts.js';
import { type OwnerSecrets, readOwnerSecrets, withOwnerSecrets } from '../inventory-files/secrets.js';
import { keepKubeconfig } from '../kubeconfig.js';
import type { LoadedCluster } from '../load-cluster.js';
import { routerAdvice } from '../routers.js';
import { saveLoadedInventory } from '../save-inventory.js';
import { withWriteErrors } from '../write-error.js';
import { applyRun, RunFailed } from './apply-run.js';
import type { PlannedRun, RunContext, Workflow } from './context.js';
import { limitsOf } from './limits.js';
import { holdingLock } from './lock.js';
import { type PinnedCluster, pinPodCidrs, recordedAssignment, recordPodCidrs, savePins } from './pod-cidrs.js';
import { type OpenPool, withPool } from './pool.js';
import { pendingSummary, runEvents } from './run-events.js';

/** What the operator asked for, whatever the workflow. */
export interface RunOptions extends Pick<RunContext, 'emit' | 'signal' | 'selection' | 'skippedChecks' | 'timeout'> {
  readonly acceptNewHostKeys: boolean;
  /** For sentences to the operator that belong to no event. */
  readonly say: (text: string) => void;
}

export interface RunRequest extends RunOptions {
  readonly workflow: Workflow;
  readonly loaded: LoadedCluster;
  /** Ends before the question: no host is changed. Here, `exact` may write the keyring. */
  readonly dryRun: boolean;
  /** A dry run whose plan is to be saved: the keyring issues what it lacks, and the artifacts must be there. */
  readonly exact?: boolean;
  /** A plan that was saved before: applied exactly so, or not at all. */
  readonly saved?: Plan;
  /** Shows the plan and asks. Throws where the answer is no. Not called for a dry run, nor where nothing changes. */
  readonly confirm: (planned: Plan, local: readonly string[]) => Promise<void>;
  /** How hosts are reached; as the inventory says when absent. */
  readonly openPool?: OpenPool;
}

export interface RunResult {
  readonly plan: Plan;
  readonly summary: Summary;
  /** How many commands ran on each host that was contacted. */
  readonly commands: Readonly<Record<string, number>>;
}

/**
 * The one way to change a cluster: everything on this machine is read and checked, the hosts are observed, the plan is
 * shown and confirmed, and then exactly that plan is applied. A dry run is the same way, stopped before the question.
 */
export const execute = async (request: RunRequest): Promise<RunResult> => {
  const { loaded, workflow, dryRun, say } = request;
  const artifacts = workflow.installsNothing
    ? placeholderArtifacts(loaded.cluster.kubernetes.version)
    : await (isExact(request) ? downloadedArtifacts(request) : openArtifactsOrPlaceholders(loaded, say));
  // What is read of this machine is read under the lock: another run may have written it a moment before.
  const run = () =>
    withPool(
      request.acceptNewHostKeys,
      async (pool) => planAndApply(request, await prepare(request, artifacts, pool), pool),
      request.openPool,
    );
  // A dry run whose plan is saved may write the keyring.
  return dryRun && !request.exact ? run() : holdingLock({ directory: loaded.state, command: workflow.name, say }, run);
};

const downloadedArtifacts = async (request: RunRequest): Promise<Artifacts> => {
  await downloadMissingBundle(request.loaded, request);
  return openArtifacts(request.loaded);
};

/** Whether the plan must be the very one that is applied, to the last digest of a key. */
const isExact = ({ dryRun, exact = false, saved }: RunRequest): boolean => !dryRun || exact || saved !== undefined;

interface Prepared extends Pick<RunContext, 'artifacts' | 'credentials' | 'keyring'> {
  readonly pinned: PinnedCluster;
  /** Writes the keys and certificates that were made for this run. */
  saveKeyring(): Promise<void>;
}

/**
 * What this machine has; where it has no record of pod CIDRs, the cluster is asked for them. New keys are made in memory
 * while the hosts are observed. A damaged keyring is reported before a host is contacted.
 */
const prepare = async (request: RunRequest, artifacts: Artifacts, pool: Pool): Promise<Prepared> => {
  const { loaded } = request;
  const ask = () => askNodeCidrs(loaded.cluster, (host) => pool.host(host), limitsOf(request));
  const assigned = request.workflow.plansNoNetwork ? undefined : await recordedAssignment(loaded.state, ask);
  const pinned = await pinPodCidrs(loaded, assigned);
  const { cluster } = pinned.loaded;
  const directory = keyringDirectory(loaded.inventory, cluster.name);
  const secrets = request.workflow.installsNothing ? noSecrets : readOwnerSecrets(loaded, process.env);
  const { credentials, identity, save } =
    isExact(request) && !request.workflow.issuesNothing
      ? await prepareKeyring(directory, cluster, new Date())
      : { ...(await readKeyring(directory, cluster, new Date())), save: async () => {} };
  return {
    artifacts,
    pinned,
    keyring: identity,
    credentials: withOwnerSecrets(credentials, secrets),
    saveKeyring: save,
  };
};

/** Of a workflow that installs nothing: what the environment does not have is not missed. */
const noSecrets: OwnerSecrets = { registryPasswords: new Map() };

const planAndApply = async (request: RunRequest, prepared: Prepared, pool: Pool): Promise<RunResult> => {
  const { workflow, saved, dryRun, confirm } = request;
  const startedAt = Date.now();
  const events = runEvents(request.emit);
  const { emit } = events;
  const run = runContext({ ...request, emit }, prepared, pool);
  const result = (plan: Plan, summary: Summary): RunResult => ({
    plan,
    summary,
    commands: Object.fromEntries(pool.commands()),
  });
  let planned: PlannedRun | undefined;
  let applied: Summary | undefined;
  try {
    planned = await workflow.plan(run);
    refuseIfMoved(planned.plan, saved);
    const pending = pendingSummary(planned, startedAt);
    if (dryRun) {
      if (request.exact) await prepared.saveKeyring();
      for (const sentence of localChanges(prepared, planned)) request.say(sentence);
      emit({ type: 'run', state: 'done', summary: pending });
      return result(planned.plan, pending);
    }
    emit({ type: 'run', state: 'planned', summary: pending });
    if (!isEmpty(planned.plan) || writesLocally(prepared, planned)) {
      await confirm(planned.plan, localChanges(prepared, planned));
    }
    await withWriteErrors(run.loaded.state, 'kbs keeps its state beside the inventory: make that folder writable', () =>
      saveLocally(request, prepared, run),
    );
    const summary = await applyRun(run, planned, startedAt);
    applied = summary;
    await finish(request, run, planned);
    emit({ type: 'run', state: 'done', summary });
    return result(planned.plan, summary);
  } catch (error) {
    const nothingDone = { changes: 0, hosts: planned?.work.length ?? 0, skipped: [], ms: Date.now() - startedAt };
    events.failed(error, error instanceof RunFailed ? error.summary : (applied ?? nothingDone));
    throw error;
  }
};

const runContext = (
  { emit, signal, selection, skippedChecks, timeout }: RunRequest,
  { pinned, artifacts, credentials, keyring }: Prepared,
  pool: Pool,
): RunContext => ({
  loaded: pinned.loaded,
  cluster: pinned.loaded.cluster,
  credentials,
  keyring,
  artifacts,
  pool,
  emit,
  signal,
  ...defined({ selection, skippedChecks, timeout }),
});

const refuseIfMoved = (plan: Plan, saved: Plan | undefined): void => {
  if (saved === undefined || isEmpty(plan)) return;
  if (comparable(plan) === comparable(saved)) return;
  throw new Failure('refused', 'the hosts or the inventory have changed since this plan was saved', {
    next: 'make a new plan: kbs plan -o plan.json',
  });
};

/** What two plans must have in common: why a host was skipped may be said in other words today. */
const comparable = ({ cluster, hosts }: Plan): string =>
  JSON.stringify({
    cluster,
    hosts: hosts.map(({ host, phases, skipped }) => ({ host, phases, skipped: skipped?.code })),
  });

/** What changes on this machine, in sentences. */
const localChanges = ({ pinned }: Prepared, { local = [] }: PlannedRun): readonly string[] => {
  const { loaded, pins } = pinned;
  const pinning = pins.length === 0 ? '' : `, with what would change otherwise: ${pins.join(', ')}`;
  return [...(loaded.unsaved === undefined ? [] : [`on this machine: writes ${loaded.inventory}${pinning}`]), ...local];
};

const writesLocally = ({ pinned }: Prepared, { editsInventory = false }: PlannedRun): boolean =>
  pinned.loaded.unsaved !== undefined || editsInventory;

/**
 * The inventory, the keys and the pod CIDRs are written before the first host changes: a run that is interrupted there
 * finds what it gave out. The administrator's kubeconfig too: it is needed most where a run fails half way.
 */
const saveLocally = async (
  { say, workflow }: RunRequest,
  { pinned, saveKeyring }: Prepared,
  run: RunContext,
): Promise<void> => {
  const { inventory, unsaved } = pinned.loaded;
  if (pinned.pins.length > 0) await savePins(pinned, say);
  else if (unsaved !== undefined) {
    await saveLoadedInventory(pinned.loaded, unsaved);
    say(`wrote ${inventory}`);
  }
  if (workflow.issuesNothing) return;
  const credentials = await run.credentials;
  await saveKeyring();
  await recordPodCidrs(pinned.loaded);
  const kubeconfig = await keepKubeconfig(pinned.loaded, credentials);
  if (kubeconfig) say(`the administrator's kubeconfig is in ${kubeconfig}`);
};

const finish = async ({ say }: RunRequest, { cluster }: RunContext, planned: PlannedRun): Promise<void> => {
  await planned.finish?.();
  const advice = planned.plan.hosts.some(({ phases }) => phases.some(({ phase }) => phase === 'routes'))
    ? routerAdvice(cluster)
    : undefined;
  if (advice) say(advice);
};
