import type { Artifacts } from '../../artifacts/artifacts.js';
import { apply, type Outcome } from '../../engine/apply.js';
import { compare, type ExecutablePlan, toPlan } from '../../engine/compare.js';
import type { Emit, Summary } from '../../engine/event.js';
import { type ContextInputs, type Observation, observe, type RunHosts } from '../../engine/observe.js';
import { changesOf, type Plan } from '../../engine/plan.js';
import type { Selection } from '../../engine/select.js';
import { Failure, Failures, failuresIn, toProblem } from '../../failure.js';
import type { Pool } from '../../hosts/pool.js';
import type { Cluster } from '../../inventory/cluster.js';
import type { Workflow } from '../../phases/index.js';
import type { Credentials } from '../../pki/credentials.js';
import type { KeyringIdentity } from '../../pki/keyring.js';
import { placeholderCredentials } from '../../pki/placeholder.js';
import { isNeeded, preflight, requireApi, requireReachable } from './checks.js';
import { phasesByHost, targetNodesOf } from './host-phases.js';
import { excludeUnreachable } from './unreachable.js';
import { checkVipConflict } from './vip-conflict.js';

/** Everything that a run needs, opened. */
export interface Run {
  readonly workflow: Workflow['name'];
  readonly cluster: Cluster;
  /** May still be on its way: what is asked of hosts does not depend on it. */
  readonly credentials: Credentials | Promise<Credentials>;
  /** Which cluster the keyring belonged to before anything was issued. */
  readonly keyring: KeyringIdentity;
  readonly artifacts: Artifacts;
  readonly pool: Pool;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** The nodes that join; for `join` only. */
  readonly joining?: readonly string[];
  /** Hosts that do not answer, and that the run goes on without. */
  readonly without?: ReadonlySet<string>;
  readonly selection?: Selection;
  readonly skippedChecks?: ReadonlySet<string>;
  /** Where etcd's first data lie on the first control plane, for `etcd restore`. */
  readonly snapshot?: string;
  /** Milliseconds: the longest wait for one step. */
  readonly timeout?: number;
}

/** What a run would do: looked at, checked and compared. Nothing has been changed. */
export interface Prepared {
  readonly plan: Plan;
  readonly work: ExecutablePlan;
  readonly survey: Observation;
  readonly begun: number;
}

/**
 * Looks at the hosts and compares. Throws when a host that the run cannot do without is out of reach, or when
 * preflight refuses; workers that do not answer are set aside in the plan, and so are control planes that the others
 * carry the cluster without.
 */
export const prepare = async (run: Run): Promise<Prepared> => {
  const begun = Date.now();
  const runHosts = phasesByHost(run);
  run.emit({
    type: 'run',
    state: 'started',
    workflow: run.workflow,
    cluster: run.cluster.name,
    hosts: runHosts.map(({ host, phases }) => ({ host: host.name, phases: phases.map(({ name }) => name) })),
  });
  try {
    return await look(run, runHosts, begun);
  } catch (error) {
    const [first] = failuresIn(error);
    const summary = { changes: 0, hosts: runHosts.length, skipped: [], ms: Date.now() - begun };
    if (first) run.emit({ type: 'run', state: 'failed', error: toProblem(first), summary });
    throw error;
  }
};

const look = async (run: Run, runHosts: RunHosts, begun: number): Promise<Prepared> => {
  const { signal, timeout } = run;
  const limits = { signal, ...(timeout === undefined ? {} : { timeout }) };
  const [looked, credentials] = await Promise.all([
    observe(runHosts, contextInputs(run), (host) => run.pool.host(host), run.emit, limits),
    run.credentials,
  ]);
  const rest = await excludeUnreachable(run, looked.unreachable, limits);
  requireReachable(runHosts, looked.unreachable, {
    ...run,
    ...(rest?.run.without ? { without: rest.run.without } : {}),
  });
  if (rest) return goOn(rest.run, rest.absent, looked.unreachable, begun);
  const seen = { ...looked, site: { ...looked.context, credentials } };
  if (run.workflow === 'join') requireApi(runHosts, seen);
  preflight(runHosts, seen, run);
  const work = compare(runHosts, seen);
  const failed = new Map(
    work.flatMap(({ hostPhases, unreachable }) => (unreachable ? [[hostPhases.host.name, unreachable]] : [])),
  );
  requireReachable(runHosts, failed, run);
  const plan = toPlan(run.workflow, run.cluster.name, work);
  await checkVipConflict(run, seen, plan);
  return { plan, work, survey: seen, begun };
};

/** Nobody is told of the absent: the others are joined or changed as if they had not been named. */
const goOn = async (
  rest: Run,
  absent: readonly string[],
  unreachable: Observation['unreachable'],
  begun: number,
): Promise<Prepared> => {
  const { plan, ...prepared } = await look(rest, phasesByHost(rest), begun);
  const away = absent.map((host) => ({
    host,
    skipped: toProblem(unreachable.get(host) ?? new Failure('unreachable', 'does not answer', { where: { host } })),
    phases: [],
  }));
  return { ...prepared, plan: { ...plan, hosts: [...plan.hosts, ...away] } };
};

/** Makes it so. Throws the failures of hosts that are needed; gives a summary that names those set aside. */
export const carryOut = async (run: Run, { work, plan, survey: { context }, begun }: Prepared): Promise<Summary> => {
  const { emit, signal } = run;
  const outcome = await apply(work, {
    context,
    emit,
    signal,
    open: (host) => run.pool.host(host),
    ...(run.timeout === undefined ? {} : { timeout: run.timeout }),
  });
  const failed = [...outcome].flatMap(([host, failure]) => (failure ? [{ host, problem: toProblem(failure) }] : []));
  const skipped = [...awayIn(plan).filter(({ host }) => !outcome.has(host)), ...failed];
  const summary = { changes: changesOf(plan).length, hosts: work.length, skipped, ms: Date.now() - begun };
  const fatal = fatalAmong(run.cluster, outcome);
  const [first] = fatal;
  if (first) {
    emit({ type: 'run', state: 'failed', error: toProblem(first), summary });
    throw new Failures(fatal);
  }
  emit({ type: 'run', state: 'done', summary });
  return summary;
};

/** The hosts that a plan goes without. */
export const awayIn = (plan: Plan): Summary['skipped'] =>
  plan.hosts.flatMap(({ host, skipped }) => (skipped === undefined ? [] : [{ host, problem: skipped }]));

const contextInputs = (run: Run): ContextInputs => ({
  cluster: run.cluster,
  credentials: placeholderCredentials(run.cluster),
  artifacts: run.artifacts,
  startedAt: Math.floor(Date.now() / 1000),
  targetNodes: targetNodesOf(run),
  ...(run.snapshot === undefined ? {} : { snapshot: run.snapshot }),
});

const fatalAmong = (cluster: Cluster, outcome: Outcome): readonly Failure[] => {
  const failed = [...outcome].flatMap(([name, failure]) => (failure ? [{ name, failure }] : []));
  const needed = failed.filter(({ name, failure }) => {
    const host = cluster.hosts.find((candidate) => candidate.name === name);
    return failure.code === 'interrupted' || (host !== undefined && isNeeded(host));
  });
  const fatal = failed.length === outcome.size ? failed : needed;
  return fatal.map(({ failure }) => failure);
};
