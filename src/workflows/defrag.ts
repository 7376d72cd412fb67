import { toPlan } from '../engine/compare.js';
import type { Operation } from '../engine/operation.js';
import { operationSteps } from '../engine/run-operation.js';
import { Failure } from '../failure.js';
import { raw, sh } from '../hosts/shell.js';
import type { ClusterHost } from '../inventory/cluster.js';
import { type ApiHost, selectEtcdHost } from '../kubernetes/api-host.js';
import { canBeDefragmented, isFull, type Member, membersOf, titleOf } from '../kubernetes/etcd-members.js';
import { etcdctl, localEndpoint } from '../kubernetes/etcdctl.js';
import type { Gate } from '../phases/phase.js';
import { requireOwnEtcd } from './etcd/own-etcd.js';
import type { PlannedRun, RunContext, Workflow } from './run/context.js';
import { limitsOf } from './run/limits.js';
import { offlineContext } from './run/phase-context.js';
import { announce } from './run/run-events.js';

/** What became of one member. */
export interface Defragmented {
  readonly member: string;
  /** Bytes on the disk. */
  readonly before: number;
  readonly after: number;
}

/**
 * Gives back the disk space that deleted keys held, one member after the other. A member answers no request meanwhile, so
 * followers come first and the leader last, and each only while all others are healthy. Where etcd is full, its history is
 * compacted first, since API servers cannot do that any more, and its alarm is ended afterwards. `onDone` is called with the
 * sizes once all members are done.
 */
export const defrag = (onDone: (members: readonly Defragmented[]) => void): Workflow => ({
  name: 'etcd defrag',
  issuesNothing: true,
  plan: (run) => plan(run, onDone),
});

const plan = async (run: RunContext, onDone: (members: readonly Defragmented[]) => void): Promise<PlannedRun> => {
  const { cluster, pool } = run;
  requireOwnEtcd(cluster);
  const limits = limitsOf(run);
  const asked = await selectEtcdHost(cluster, pool, limits);
  const members = await membersOf(asked, cluster, limits);
  requireHealthy(members, asked);
  const operations = operationsFor(members, asked.at);
  const hostPhases = { host: asked.at, phases: [] };
  announce(run, 'etcd defrag', [{ host: asked.at, phases: operations.map(({ name }) => ({ name })) }]);
  const work = [{ hostPhases, phases: operations.map((operation) => operationSteps(operation)) }];
  return {
    plan: toPlan('etcd defrag', cluster.name, work),
    work,
    // Operations read nothing of it.
    context: offlineContext(cluster, run.artifacts),
    isNeeded: () => true,
    finish: async () => onDone(sizes(members, await membersOf(asked, cluster, limits))),
  };
};

const sizes = (before: readonly Member[], after: readonly Member[]): readonly Defragmented[] =>
  before.map((member) => ({
    member: titleOf(member),
    before: member.status?.size ?? 0,
    after: after.find(({ id }) => id === member.id)?.status?.size ?? 0,
  }));

const requireHealthy = (members: readonly Member[], { at }: ApiHost): void => {
  const unhealthy = members.filter((member) => !canBeDefragmented(member));
  if (unhealthy.length === 0) return;
  throw new Failure('refused', 'etcd cannot be defragmented while a member is unhealthy', {
    where: { host: at.name },
    why: unhealthy.map((member) => `${titleOf(member)}: ${member.status?.errors.join(', ') ?? 'does not answer'}`),
    next: 'see kbs etcd status',
  });
};

const operationsFor = (members: readonly Member[], on: ClusterHost): readonly Operation[] => {
  const full = members.some(isFull);
  const revision = Math.min(...members.map(({ status }) => status?.revision ?? 0));
  return [
    ...(full ? [compactOperation(revision, on)] : []),
    ...inOrder(members).map((member) => defragOperation(member, members, on)),
    ...(full ? [disarmOperation(on)] : []),
  ];
};

/** Followers first: the defragmentation of the leader starts an election, for which members after it would have to wait. */
export const inOrder = (members: readonly Member[]): readonly Member[] =>
  members.toSorted((a, b) => Number(a.status?.leader ?? false) - Number(b.status?.leader ?? false));

const compactOperation = (revision: number, on: ClusterHost): Operation => ({
  name: 'compact',
  target: 'etcd',
  on,
  // Compacted already: another run was faster.
  script: sh`kbs_output=$(${raw(etcdctl([localEndpoint]))} --command-timeout=300s compact ${revision} --physical 2>&1) || {
  printf '%s\n' "$kbs_output" | grep -q 'has been compacted' || { printf '%s\n' "$kbs_output" >&2; exit 1; }
}`,
  timeoutSeconds: 330,
  affects: [`discards the history of all keys before revision ${revision}; watches of API servers begin anew`],
  resume: 'run the same command again',
  failure: { what: 'etcd does not compact its history', next: 'see how its members are: kbs etcd status' },
});

const defragOperation = (member: Member, members: readonly Member[], on: ClusterHost): Operation => {
  const there = raw(etcdctl(member.clientUrls));
  return {
    name: `defrag ${titleOf(member)}`,
    target: titleOf(member),
    on,
    precondition: allHealthy(members),
    script: sh`${there} --command-timeout=300s defrag >/dev/null
for kbs_try in $(seq 100); do ${there} get health >/dev/null 2>&1 && exit 0; sleep 0.3; done
echo 'the member does not answer after it was defragmented' >&2
exit 1`,
    timeoutSeconds: 360,
    affects: [`the member answers no request meanwhile${member.status?.leader ? '; it is the leader' : ''}`],
    resume: 'run the same command again; members that are done stay as they are',
    failure: { what: `${titleOf(member)} was not defragmented`, next: 'see how it is: kbs etcd status' },
  };
};

/** The alarm of a full disk does not count: defragmentation is what repairs it. */
const allHealthy = (members: readonly Member[]): Gate => ({
  name: 'all members are healthy',
  test: sh`kbs_output=$(${raw(etcdctl(members.flatMap(({ clientUrls }) => clientUrls)))} endpoint health 2>&1) || :
printf '%s\n' "$kbs_output" | grep 'is unhealthy' | grep -v 'Active Alarm' || :
[ "$(printf '%s\n' "$kbs_output" | grep -cE 'is healthy|Active Alarm')" -ge ${members.length} ]`,
  timeoutSeconds: 60,
});

/** Where the room is still not enough, the next write raises the alarm again. */
const disarmOperation = (on: ClusterHost): Operation => ({
  name: 'disarm',
  target: 'etcd',
  on,
  script: sh`${raw(etcdctl([localEndpoint]))} alarm disarm >/dev/null`,
  timeoutSeconds: 30,
  affects: ['ends the alarm of being full: etcd takes writes again'],
  resume: 'run the same command again',
  failure: { what: 'etcd does not end its alarm of being full', next: 'see how its members are: kbs etcd status' },
});
