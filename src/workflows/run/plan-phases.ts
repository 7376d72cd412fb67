import { defined } from '../../defined.js';
import { compare, toPlan } from '../../engine/compare.js';
import type { ExecutableHostPlan, PhaseSteps } from '../../engine/executable-plan.js';
import { type ContextInputs, type Observation, observe, type RunHosts } from '../../engine/observe.js';
import type { Plan } from '../../engine/plan.js';
import { Failure, toProblem } from '../../failure.js';
import { type Cluster, type ClusterHost, isApiHost, isControlPlane } from '../../inventory/cluster.js';
import { type NodeCidrsAnswer, nodeCidrsQuery, parseNodeCidrs } from '../../kubernetes/node-cidrs.js';
import { ready } from '../../phases/cluster/ready.js';
import type { PhaseReference } from '../../phases/phase.js';
import { gpuAdvice } from '../../preflight/gpu-advice.js';
import { isNeeded, preflight, requireApi, requireReachable } from './checks.js';
import type { PlannedRun, Workflow } from './context.js';
import { phasesByHost, targetNodesOf } from './host-phases.js';
import { limitsOf } from './limits.js';
import { contextInputs, now } from './phase-context.js';
import type { Hooks, PhaseRun, PhaseWorkflow } from './phase-workflow.js';
import { requireFreePodCidrs } from './pod-cidrs.js';
import { requireOwnReleases } from './releases.js';
import { announce } from './run-events.js';
import { excludeUnreachable } from './unreachable.js';
import { checkVipConflict } from './vip-conflict.js';

/** A phase workflow as something that can be planned, confirmed and applied. */
export const phaseRun = (
  workflow: PhaseWorkflow,
  about: Pick<PhaseRun, 'joining' | 'hooks' | 'purges'> = {},
): Workflow => ({
  name: workflow.name,
  plan: (run) => planPhases({ ...run, ...about, workflow }),
});

/**
 * Observes the hosts and compares. Throws where a host that the run needs cannot be reached, or where a check fails.
 * Hosts that the run can do without are in the plan as skipped.
 */
const planPhases = async (run: PhaseRun): Promise<PlannedRun> => {
  const all = phasesByHost(run.workflow, run);
  announce(
    run,
    run.workflow.name,
    all.map((each) => withOperations(each, run.hooks)),
  );
  const first = await observeRun(run, all);
  // Hooks are for all control planes, or for none.
  const reduced = run.hooks ? undefined : await excludeUnreachable(run, first.unreachable, limitsOf(run));
  requireReachable(all, first.unreachable, {
    ...run,
    ...(reduced?.run.without ? { without: reduced.run.without } : {}),
  });
  if (!reduced) return planObserved(run, all, first, []);
  // If the API host does not answer, another control plane takes its place and has its phases now: they are observed again.
  const rest = phasesByHost(run.workflow, reduced.run);
  const second = await observeRun(reduced.run, rest);
  requireReachable(rest, second.unreachable, reduced.run);
  return planObserved(reduced.run, rest, second, skippedHosts(reduced.absent, first));
};

const planObserved = async (
  run: PhaseRun,
  runHosts: RunHosts,
  observed: Observation,
  skipped: Plan['hosts'],
): Promise<PlannedRun> => {
  if (run.workflow.needsCluster) requireApi(runHosts, observed);
  const warnings = preflight(observed, run);
  requireFreePodCidrs(run.cluster, nodeCidrsIn(run.cluster, observed));
  requireOwnReleases(runHosts, observed);
  const hooks = run.hooks?.plan(observed);
  const context = {
    ...observed.context,
    credentials: await run.credentials,
    ...(hooks ? { facts: hooks.facts } : {}),
  };
  const work = compare(runHosts, { ...observed, context }, hooks?.expected).map((host) => ({
    ...host,
    ...noted(host, observed),
    phases: [
      ...(hooks?.before.get(host.hostPhases.host.name) ?? []),
      ...beforeReady(
        host.phases.map((steps) => waitFor(host.hostPhases.host, steps, hooks?.waitsFor)),
        hooks?.after.get(host.hostPhases.host.name) ?? [],
      ),
    ],
  }));
  const failed = work.flatMap(({ hostPhases, unreachable }) =>
    unreachable ? [[hostPhases.host.name, unreachable] as const] : [],
  );
  requireReachable(runHosts, new Map(failed), run);
  const compared = toPlan(run.workflow.name, run.cluster.name, work);
  await checkVipConflict(run, observed, compared);
  return {
    plan: { ...compared, hosts: [...compared.hosts, ...skipped], ...(warnings.length > 0 ? { warnings } : {}) },
    work,
    context,
    isNeeded: (name) => run.cluster.hosts.some((host) => host.name === name && isNeeded(host)),
  };
};

/** The notes of a host, with what could be done with it. */
const noted = ({ hostPhases: { host }, unreachable, notes = [] }: ExecutableHostPlan, { context }: Observation) => {
  const advice = unreachable ? [] : gpuAdvice(host, context.facts(host.name));
  return notes.length + advice.length > 0 ? { notes: [...notes, ...advice] } : {};
};

/** The pod CIDRs of Nodes as the API host returned them; `not answered` where it is not in the run. */
const nodeCidrsIn = (cluster: Cluster, { results }: Observation): NodeCidrsAnswer => {
  const apiHost = cluster.hosts.find((host) => isApiHost(host, cluster));
  const output = results.get(apiHost?.name ?? '')?.get(nodeCidrsQuery.script)?.output;
  return output === undefined ? { state: 'not answered', reason: 'it was not asked' } : parseNodeCidrs(output);
};

/** The last operations run before the phase `ready`: nodes may never become Ready, and operations must not wait for that. */
const beforeReady = (phases: readonly PhaseSteps[], last: readonly PhaseSteps[]): readonly PhaseSteps[] => {
  const wait = phases.findIndex(({ phase }) => phase.name === ready.name);
  const place = wait < 0 ? phases.length : wait;
  return [...phases.slice(0, place), ...last, ...phases.slice(place)];
};

/** The phases of control planes begin once the operations before them are done on all control planes. */
const waitFor = (host: ClusterHost, steps: PhaseSteps, others: readonly PhaseReference[] = []): PhaseSteps =>
  others.length > 0 && isControlPlane(host) ? { ...steps, after: [...(steps.after ?? []), ...others] } : steps;

const withOperations = ({ host, phases }: RunHosts[number], hooks: Hooks | undefined) => {
  const { before, after } = hooks?.outline(host) ?? { before: [], after: [] };
  return { host, phases: [...before.map(named), ...phases, ...after.map(named)] };
};

const named = (name: string) => ({ name });

/** What is asked of hosts does not depend on credentials: placeholders stand in for those still in the making. */
const observeRun = (run: PhaseRun, runHosts: RunHosts): Promise<Observation> =>
  observe(runHosts, inputsOf(run), (host) => run.pool.host(host), run.emit, {
    ...limitsOf(run),
    also: (host) => (isApiHost(host, run.cluster) ? [nodeCidrsQuery] : []),
  });

const inputsOf = (run: PhaseRun): ContextInputs =>
  contextInputs(run.cluster, run.artifacts, {
    startedAt: now(),
    targetNodes: targetNodesOf(run.workflow, run),
    ...defined({ snapshot: run.hooks?.snapshot }),
  });

const skippedHosts = (names: readonly string[], { unreachable }: Observation): Plan['hosts'] =>
  names.map((host) => ({
    host,
    skipped: toProblem(
      unreachable.get(host) ?? new Failure('unreachable', `${host} does not answer`, { where: { host } }),
    ),
    phases: [],
  }));
