import { type Observation, observedFacts, type RunHosts } from '../../engine/observe.js';
import type { PlanWarning } from '../../engine/plan.js';
import { Failure, Failures } from '../../failure.js';
import { type ClusterHost, isControlPlane, isRouter } from '../../inventory/cluster.js';
import { apiAnswers } from '../../phases/gates.js';
import { bundleCheck } from '../../preflight/architecture.js';
import type { CheckResult, IdentityFacts } from '../../preflight/check.js';
import { etcdChangeCheck } from '../../preflight/external-etcd.js';
import { identityCheck } from '../../preflight/identity.js';
import { failuresOf, resultsOf, runChecks } from '../../preflight/run-checks.js';
import type { PhaseRun } from './phase-workflow.js';

/** A cluster does without a worker, not without its control planes and routers. */
export const isNeeded = (host: ClusterHost): boolean => isControlPlane(host) || isRouter(host);

/**
 * Throws where no host answers, where a host that the cluster needs does not and the run does not go on `without` it, or
 * where none of the hosts that join answers.
 */
export const requireReachable = (
  runHosts: RunHosts,
  unreachable: Observation['unreachable'],
  { joining = [], without = new Set() }: Pick<PhaseRun, 'joining' | 'without'>,
): void => {
  const missing = runHosts.filter(({ host }) => unreachable.has(host.name));
  const noneLeft = missing.length === runHosts.length;
  const noneJoins = joining.length > 0 && joining.every((name) => unreachable.has(name));
  const fatal = missing.filter(
    ({ host }) => noneLeft || (isNeeded(host) && !without.has(host.name)) || (noneJoins && joining.includes(host.name)),
  );
  const failures = fatal.flatMap(({ host }) => unreachable.get(host.name) ?? []);
  if (failures.length > 0) throw new Failures(failures);
};

/** Throws what the checks of hosts and cluster find, of all observed hosts at once; gives what they only warn of. */
export const preflight = (
  observation: Observation,
  {
    workflow,
    cluster,
    keyring,
    skippedChecks,
    hooks,
  }: Pick<PhaseRun, 'workflow' | 'cluster' | 'keyring' | 'skippedChecks' | 'hooks'>,
): readonly PlanWarning[] => {
  const results = runChecks(
    {
      workflow: workflow.name,
      cluster,
      facts: observedFacts(observation),
      keyring,
      bundle: observation.context.artifacts.architectures,
      from: observation.context.startedAt,
      to: Math.ceil(Date.now() / 1000),
      restores: hooks !== undefined,
    },
    skippedChecks,
  );
  throwFailed(results);
  return results
    .filter(({ warning }) => warning)
    .map(({ name, hosts, detail, next = '' }) => ({ hosts, what: `${name}: ${detail}`, next }));
};

/**
 * Throws where hosts and keyring do not belong to the same cluster. For commands that change hosts and run no other
 * check: before anything is issued or changed, with the facts of all hosts that were observed.
 */
export const requireOwnCluster = (identity: IdentityFacts, skippedChecks: ReadonlySet<string> = new Set()): void => {
  if (skippedChecks.has('authority')) return;
  throwFailed(resultsOf(identityCheck, [], identityCheck.check(identity)));
};

/**
 * Throws where the inventory names another etcd than the one that API servers use: kbs would look for members where there
 * are none. For commands that take members out and run no other check.
 */
export const requireSameEtcd = ({ cluster, facts }: Pick<IdentityFacts, 'cluster' | 'facts'>): void =>
  throwFailed(
    cluster.hosts.flatMap((host) => {
      const seen = facts.get(host.name);
      return seen === undefined
        ? []
        : resultsOf(etcdChangeCheck, [host.name], etcdChangeCheck.check(host, seen, cluster));
    }),
  );

/** Throws where the bundle has nothing for a host. For commands that send artifacts and run no other check. */
export const requireArtifacts = (
  observation: Pick<Observation, 'context' | 'results'>,
  skippedChecks: ReadonlySet<string> = new Set(),
): void => {
  if (skippedChecks.has('architecture')) return;
  const { cluster, artifacts } = observation.context;
  const facts = { facts: observedFacts(observation), bundle: artifacts.architectures, cluster };
  throwFailed(resultsOf(bundleCheck, [], bundleCheck.check(facts)));
};

/** Throws the failed ones among the results, all at once. */
export const throwFailed = (results: readonly CheckResult[]): void => {
  const failures = failuresOf(results);
  if (failures.length > 0) throw new Failures(failures);
};

/** Throws where no API server answers: then there is no cluster to join. */
export const requireApi = (runHosts: RunHosts, { results }: Observation): void => {
  const responses = runHosts.flatMap(({ host }) => {
    const response = results.get(host.name)?.get(apiAnswers.test);
    return response ? [{ host: host.name, ...response }] : [];
  });
  const [first] = responses;
  if (!first || responses.some(({ code }) => code === 0)) return;
  throw new Failure('refused', 'the cluster does not answer', {
    where: { host: first.host, command: 'kubectl get --raw /readyz' },
    why: [first.output],
    next: 'bring it up first: kbs init',
  });
};
