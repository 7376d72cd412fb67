import { defined } from '../defined.js';
import { toPlan } from '../engine/compare.js';
import type { Operation } from '../engine/operation.js';
import type { Plan } from '../engine/plan.js';
import { operationSteps } from '../engine/run-operation.js';
import { Failure, Failures } from '../failure.js';
import type { RunOptions } from '../hosts/host.js';
import type { Pool } from '../hosts/pool.js';
import type { Cluster } from '../inventory/cluster.js';
import { unknownName } from '../inventory/did-you-mean.js';
import { type ApiHost, selectApiHost } from '../kubernetes/api-host.js';
import {
  type Asked,
  type Grant,
  grantOf,
  grantOperation,
  impersonationOf,
  revokeOperation,
} from '../kubernetes/grant.js';
import { mistakesIn, obstaclesTo, warningsOf } from '../kubernetes/grant-checks.js';
import { type Access, accessOf, issueToken, type User } from '../kubernetes/users.js';
import { fingerprintOf } from '../pki/certificate.js';
import { type KubeconfigEntries, userEntries } from '../pki/kubeconfig.js';
import { Secret } from '../secret.js';
import { loadCluster } from './load-cluster.js';
import type { PlannedRun, RunContext, Workflow } from './run/context.js';
import { limitsOf } from './run/limits.js';
import { offlineContext } from './run/phase-context.js';
import { withPool } from './run/pool.js';
import { announce } from './run/run-events.js';

export interface GrantOptions extends Omit<Asked, 'until'> {
  /** How long the token lives, in seconds. */
  readonly seconds: number;
  /** Name of the cluster in the kubeconfig. */
  readonly clusterName: string;
  /** What will be written on this machine, in sentences for the question. */
  readonly local: readonly string[];
  /** Called before the question, with entries whose token is still empty: throws where they could not be written. */
  readonly check: (entries: KubeconfigEntries) => Promise<unknown>;
  /** Called with what the person gets, once the cluster knows the person. */
  readonly onDone: (issued: Issued) => void;
}

/** Access that was given. The entries hold the token. */
export interface Issued {
  readonly grant: Grant;
  /** RFC 3339: when the token ends. */
  readonly expires: string;
  readonly token: Secret;
  readonly entries: KubeconfigEntries;
}

/** Gives a person access, or another one than before, and makes a kubeconfig for it. Throws at once what is no name. */
export const grantAccess = (options: GrantOptions): Workflow => {
  const mistakes = mistakesIn(options);
  if (mistakes.length > 0) throw new Failures(mistakes);
  return { name: 'kubeconfig', issuesNothing: true, installsNothing: true, plan: (run) => planGrant(run, options) };
};

const planGrant = async (run: RunContext, options: GrantOptions): Promise<PlannedRun> => {
  const [apiHost, access] = await readAccess(run);
  const before = access.users.find(({ name }) => name === options.name);
  const grant = grantOf({ ...options, until: access.now + options.seconds }, before);
  const obstacles = obstaclesTo(grant, access);
  if (obstacles.length > 0) throw new Failures(obstacles);
  const entriesFor = (token: Secret) => entriesOf(run.cluster, options.clusterName, grant, access, token);
  await options.check(entriesFor(new Secret('')));
  const planned = planOf(run, 'kubeconfig', apiHost, grantOperation(grant, before, access, apiHost));
  const warnings = warningsOf(grant, access).map((warning) => ({ hosts: [run.cluster.name], ...warning }));
  return {
    ...planned,
    plan: { ...planned.plan, ...(warnings.length > 0 ? { warnings } : {}) },
    local: options.local,
    async finish() {
      const { token, expires } = await issueToken(grant.name, grant.until, apiHost, limitsOf(run));
      options.onDone({ grant, expires, token, entries: entriesFor(token) });
    },
  };
};

const entriesOf = (
  { endpoint }: Cluster,
  name: string,
  grant: Grant,
  { authority }: Access,
  token: Secret,
): KubeconfigEntries => {
  const namespace = grant.namespaces.length === 1 ? grant.namespaces[0] : undefined;
  const access = { name: grant.name, token, authority, ...defined({ as: impersonationOf(grant), namespace }) };
  return userEntries({ name, endpoint }, access);
};

/** Takes everything away that kbs gave a person: at once, whatever kubeconfigs there are. */
export const revokeAccess = (name: string): Workflow => ({
  name: 'users remove',
  issuesNothing: true,
  installsNothing: true,
  async plan(run) {
    const [apiHost, { users }] = await readAccess(run);
    const user = users.find((each) => each.name === name);
    if (user === undefined) throw unknownUser(name, users);
    const planned = planOf(run, 'users remove', apiHost, revokeOperation(user, apiHost));
    return { ...planned, plan: { ...planned.plan, warnings: [{ hosts: [run.cluster.name], ...openConnections }] } };
  },
});

const openConnections = {
  what: 'what is open stays open: a watch for up to an hour, a shell in a pod until it is closed or its pod ends',
  next: 'to end a shell, delete its pod',
};

const unknownUser = (name: string, users: readonly User[]): Failure =>
  users.length === 0
    ? new Failure('usage', `the cluster has no user ${name}`, { next: 'kbs has given access to none' })
    : unknownName(
        'the cluster has no user',
        [name],
        users.map((user) => user.name),
      );

/** The people who have access, as the cluster has them. Throws `unreachable` where it cannot be asked. */
export const listUsers = async (
  file: string,
  {
    acceptNewHostKeys,
    limits,
  }: { readonly acceptNewHostKeys: boolean; readonly limits: Pick<RunOptions, 'signal' | 'timeout'> },
): Promise<{ readonly cluster: string; readonly now: number; readonly users: readonly User[] }> => {
  const { cluster } = await loadCluster(file);
  return withPool(acceptNewHostKeys, async (pool) => {
    const { users, now } = await accessOf(await apiHostOf(cluster, pool, limits), limits);
    return { cluster: cluster.name, now, users };
  });
};

/** Asks who has access, and refuses where the host that answers is of another cluster than the keyring. */
const readAccess = async (run: RunContext): Promise<readonly [ApiHost, Access]> => {
  const { cluster, pool, keyring } = run;
  const apiHost = await apiHostOf(cluster, pool, limitsOf(run));
  const access = await accessOf(apiHost, limitsOf(run));
  // A machine without a keyring may ask and take away, too: what counts is the cluster.
  if (keyring.ca !== undefined && keyring.ca !== fingerprintOf(access.authority)) {
    throw new Failure('refused', `${apiHost.at.name} belongs to a cluster whose CA is not in this keyring`, {
      where: { host: apiHost.at.name },
      next: 'see that the inventory names the right hosts: kbs preflight',
    });
  }
  return [apiHost, access];
};

const apiHostOf = (cluster: Cluster, pool: Pool, limits: RunOptions): Promise<ApiHost> =>
  selectApiHost(cluster, pool, limits).catch((error: unknown) => {
    if (!(error instanceof Failure) || error.code !== 'unreachable') throw error;
    throw new Failure('unreachable', `cannot tell who has access: ${error.message}`, {
      why: error.why,
      ...defined({ next: error.next }),
      cause: error,
    });
  });

const planOf = (
  run: RunContext,
  workflow: string,
  { at }: ApiHost,
  operation: Operation,
): PlannedRun & { readonly plan: Plan } => {
  announce(run, workflow, [{ host: at, phases: [{ name: operation.name }] }]);
  const work = [{ hostPhases: { host: at, phases: [] }, phases: [operationSteps(operation)] }];
  return {
    plan: toPlan(workflow, run.cluster.name, work),
    work,
    // Operations read nothing of it.
    context: offlineContext(run.cluster, run.artifacts),
    isNeeded: () => true,
  };
};
