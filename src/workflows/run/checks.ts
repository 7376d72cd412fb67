import type { Observation, RunHosts } from '../../engine/observe.js';
import type { Plan } from '../../engine/plan.js';
import { Failure, Failures } from '../../failure.js';
import type { Facts } from '../../hosts/facts/facts.js';
import { type ClusterHost, isControlPlane, isRouter } from '../../inventory/cluster.js';
import { apiAnswers } from '../../phases/gates.js';
import { checkCluster } from '../../preflight/cluster-checks.js';
import { checkHost } from '../../preflight/host-checks.js';
import type { PhaseRun } from './phase-workflow.js';

/** A cluster does without a worker, not without its control planes and routers. */
export const isNeeded = (host: ClusterHost): boolean => isControlPlane(host) || isRouter(host);

/**
 * Throws where nobody is left, somebody is missing without whom nothing works and `without` whom the run does not go
 * on, or nobody of those that join answers.
 */
export const requireReachable = (
  runHosts: RunHosts,
  unreachable: Observation['unreachable'],
  { joining = [], without = new Set() }: Pick<PhaseRun, 'joining' | 'without'>,
): void => {
  const missing = runHosts.filter(({ host }) => unreachable.has(host.name));
  const nobodyLeft = missing.length === runHosts.length;
  const nobodyJoins = joining.length > 0 && joining.every((name) => unreachable.has(name));
  const fatal = missing.filter(
    ({ host }) =>
      nobodyLeft || (isNeeded(host) && !without.has(host.name)) || (nobodyJoins && joining.includes(host.name)),
  );
  const failures = fatal.flatMap(({ host }) => unreachable.get(host.name) ?? []);
  if (failures.length > 0) throw new Failures(failures);
};

/** Throws what preflight refuses, of all hosts at once. */
export const preflight = (
  runHosts: RunHosts,
  { context, answers }: Observation,
  { cluster, skippedChecks, around }: PhaseRun,
): void => {
  const seen = runHosts.filter(({ host }) => answers.has(host.name));
  const facts = new Map<string, Facts>(seen.map(({ host }) => [host.name, context.facts(host.name)]));
  const refusals = [
    ...seen.flatMap(({ host }) => checkHost(host, context.facts(host.name), cluster, skippedChecks)),
    ...checkCluster(
      { cluster, facts, from: context.startedAt, to: Math.ceil(Date.now() / 1000), restores: around !== undefined },
      skippedChecks,
    ),
  ];
  if (refusals.length > 0) throw new Failures(refusals);
};

/** A join waits for nothing: where no API server answers there is nothing to join. */
export const requireApi = (runHosts: RunHosts, { answers }: Observation): void => {
  const asked = runHosts.flatMap(({ host }) => {
    const answer = answers.get(host.name)?.get(apiAnswers.test);
    return answer ? [{ host: host.name, answer }] : [];
  });
  const [first] = asked;
  if (!first || asked.some(({ answer }) => answer.code === 0)) return;
  throw new Failure('refused', 'the cluster does not answer', {
    where: { host: first.host, command: 'kubectl get --raw /readyz' },
    why: [first.answer.output],
    next: 'bring it up first: kbs init',
  });
};

/**
 * New keys for a host that has others would end every credential of a living cluster, and what was encrypted with the
 * old key could never be read again. So a control plane of another keyring is refused, whatever the plan says.
 */
export const requireOwnKeyring = (plan: Plan): void => {
  const foreign = plan.hosts.filter(({ phases }) => {
    const replaced = phases.flatMap(({ changes }) =>
      changes.filter(({ differences }) =>
        differences.some(({ aspect, is }) => aspect === 'content' && is !== undefined),
      ),
    );
    return roots.every((path) => replaced.some(({ id }) => id === path));
  });
  if (foreign.length === 0) return;
  throw new Failures(
    foreign.map(
      ({ host }) =>
        new Failure(
          'preflight',
          'authority: this control plane belongs to a cluster whose keys are not in this keyring',
          {
            where: { host },
            why: ['its CA and its service account key are others than those in .kbs beside the inventory'],
            next: 'bring that keyring here; `--skip-check authority` ends the other cluster for good',
          },
        ),
    ),
  );
};

const roots = ['/etc/kubernetes/pki/ca.crt', '/etc/kubernetes/pki/sa.key'];
