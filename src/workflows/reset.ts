import { toPlan } from '../engine/compare.js';
import type { ExecutablePlan } from '../engine/executable-plan.js';
import { observe, observedFacts } from '../engine/observe.js';
import { hostForUndo, undo, undoNames, undoNotes } from '../engine/undo.js';
import { Failure, Failures } from '../failure.js';
import { type Cluster, type ClusterHost, controlPlanes, isControlPlane } from '../inventory/cluster.js';
import { selectApiHost } from '../kubernetes/api-host.js';
import { memberAt, membersOf } from '../kubernetes/etcd-members.js';
import { askNodeCidrs, type NodeCidrsAnswer } from '../kubernetes/node-cidrs.js';
import { phases } from '../phases/index.js';
import { keyringDirectory } from '../pki/keyring.js';
import { clusterWithout, removedHosts } from './remove/affected-hosts.js';
import { requireOwnCluster } from './run/checks.js';
import type { PlannedRun, RunContext, Workflow } from './run/context.js';
import { limitsOf } from './run/limits.js';
import { contextInputs, now } from './run/phase-context.js';
import { announce } from './run/run-events.js';

export interface ResetOptions {
  /** All hosts of the inventory where empty. */
  readonly names: readonly string[];
  /** Resets hosts that the running cluster still has, or may have. */
  readonly force: boolean;
  readonly say: (text: string) => void;
}

/**
 * Leaves hosts as kbs found them, and asks the cluster nothing but whether it still has them. Where all control planes
 * are reset, the cluster ends. The inventory and the keyring stay, so that `kbs init` builds the same cluster again.
 */
export const reset = (options: ResetOptions): Workflow => ({
  name: 'reset',
  issuesNothing: true,
  installsNothing: true,
  plansNoNetwork: true,
  plan: (run) => plan(run, options),
});

const plan = async (run: RunContext, { names, force, say }: ResetOptions): Promise<PlannedRun> => {
  const { cluster, pool, emit, artifacts, credentials } = run;
  const hosts = names.length === 0 ? cluster.hosts : removedHosts(cluster, names);
  const after = clusterWithout(cluster, hosts);
  const runHosts = hosts.map((host) => hostForUndo(host, cluster, phases));
  announce(
    run,
    'reset',
    runHosts.map(({ host, phases: own }) => ({ host, phases: undoNames(own).map((name) => ({ name })) })),
  );
  const inputs = contextInputs(cluster, artifacts, { credentials: await credentials, startedAt: now() });
  const [observation, held] = await Promise.all([
    observe(runHosts, inputs, (host) => pool.host(host), emit, limitsOf(run)),
    force ? [] : heldByCluster(run, hosts, after),
  ]);
  const { unreachable } = observation;
  const isNeeded = (name: string) => names.includes(name);
  const silent = [...unreachable].filter(([name]) => isNeeded(name) || unreachable.size === hosts.length);
  if (silent.length > 0) throw new Failures(silent.map(([, failure]) => failure));
  requireOwnCluster(
    { workflow: 'reset', cluster, facts: observedFacts(observation), keyring: run.keyring },
    run.skippedChecks,
  );
  if (held.length > 0) throw new Failures(held);
  const work: ExecutablePlan = runHosts.map((hostPhases) => {
    const failure = unreachable.get(hostPhases.host.name);
    if (failure) return { hostPhases, unreachable: failure, phases: [] };
    const notes = undoNotes(hostPhases, observation);
    return { hostPhases, phases: undo(hostPhases, observation), ...(notes.length > 0 ? { notes } : {}) };
  });
  const ends = controlPlanes(after).length === 0;
  return {
    plan: toPlan('reset', cluster.name, work),
    work,
    context: observation.context,
    isNeeded,
    ...(ends ? ending(run, say) : {}),
  };
};

const ending = (
  { loaded, cluster: { name, kubernetes } }: RunContext,
  say: ResetOptions['say'],
): Partial<PlannedRun> => ({
  local:
    kubernetes.externalEtcd === undefined
      ? [`this ends cluster ${name}: its objects in etcd and all its pods are lost`]
      : [
          `this ends cluster ${name}: all its pods are lost; its objects stay in the external etcd (${kubernetes.externalEtcd.endpoints.join(', ')}) under /registry until they are deleted there`,
        ],
  async finish() {
    const keyring = keyringDirectory(loaded.inventory, name);
    say(`the keyring stays in ${keyring}: kbs init builds ${name} again with the same authorities`);
  },
});

/**
 * Why the hosts cannot be reset without `kbs remove`: control planes stay, and they know the hosts or cannot be asked.
 * Empty where none stays.
 */
const heldByCluster = async (
  run: RunContext,
  leaving: readonly ClusterHost[],
  after: Cluster,
): Promise<readonly Failure[]> => {
  if (controlPlanes(after).length === 0) return [];
  const answer = await askNodes(run, after);
  const names = leaving.map(({ name }) => name);
  switch (answer.state) {
    case 'not installed':
      return [];
    case 'not answered':
      return [
        new Failure('refused', `cannot tell whether cluster ${after.name} still has ${names.join(', ')}`, {
          why: [answer.reason],
          next: `bring an API server up and run kbs remove ${names.join(' ')}; if the cluster is gone for good, reset all hosts (kbs reset), or these with --force`,
        }),
      ];
    case 'answered': {
      const members = leaving.some(isControlPlane) ? await membersIn(run, after) : [];
      return leaving.flatMap((host) => {
        const held = [
          ...(answer.nodes.has(host.name) ? ['its Node is in the API'] : []),
          ...(isControlPlane(host) && memberAt(members, host) ? ['its member is in etcd'] : []),
        ];
        return held.length === 0 ? [] : [stillHeld(host, held)];
      });
    }
  }
};

const askNodes = async (run: RunContext, after: Cluster): Promise<NodeCidrsAnswer> => {
  try {
    return await askNodeCidrs(after, (host) => run.pool.host(host), limitsOf(run));
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'interrupted') throw error;
    return { state: 'not answered', reason: [error.message, ...error.why].join(': ') };
  }
};

const membersIn = async (run: RunContext, after: Cluster) => {
  const limits = limitsOf(run);
  return membersOf(await selectApiHost(after, run.pool, limits), after, limits);
};

const stillHeld = ({ name }: ClusterHost, why: readonly string[]): Failure =>
  new Failure('refused', `${name} is part of the running cluster`, {
    where: { host: name },
    why,
    next: `take it out first, which resets it too: kbs remove ${name}; --force resets it and leaves the cluster as it is`,
  });
