import { defined } from '../defined.js';
import type { Expected } from '../engine/compare.js';
import type { PhaseSteps } from '../engine/executable-plan.js';
import { operationSteps } from '../engine/run-operation.js';
import { Failure } from '../failure.js';
import { type Cluster, type ClusterHost, controlPlanes, isControlPlane } from '../inventory/cluster.js';
import { currentRevision } from '../kubernetes/etcd-members.js';
import { restoredRevisions, uploadedSnapshot } from '../kubernetes/etcdctl.js';
import { nameOf } from '../resources/registry.js';
import { Unknown } from '../resources/resource.js';
import { requireOwnEtcd } from './etcd/own-etcd.js';
import { type EtcdView, etcdViews, finishOperation, stopEtcdOperation, uploadOperation } from './etcd/restore-hosts.js';
import { checkSnapshot, type SnapshotFile } from './etcd/snapshot-file.js';
import { init } from './init.js';
import type { PlannedRun, RunContext, Workflow } from './run/context.js';
import { limitsOf } from './run/limits.js';
import type { Hooks } from './run/phase-workflow.js';
import { phaseRun } from './run/plan-phases.js';

export interface RestoreOptions {
  /** The snapshot, on this machine. */
  readonly file: string;
  /** Also where etcd has its quorum, and what it holds is lost. */
  readonly force: boolean;
  readonly now: Date;
}

/** A planned restore, and what it ends. */
export interface PlannedRestore extends PlannedRun {
  readonly snapshot: SnapshotFile;
  /** The revision of the etcd that answers now; absent where none has a quorum. */
  readonly revision?: number;
}

/**
 * Starts etcd from a snapshot: API servers and etcd stop on every control plane, their data are kept beside, and then it is
 * `init`, whose first member starts from the snapshot while the others join it. Killed anywhere, the same command finishes.
 */
export const restore = (options: RestoreOptions): Workflow => ({
  name: 'etcd restore',
  plan: (run) => plan(run, options),
});

/** Throws all that is in the way: a file that is no snapshot, a keyring that cannot read it, an etcd that is alive. */
const plan = async (run: RunContext, options: RestoreOptions): Promise<PlannedRestore> => {
  requireOwnEtcd(run.cluster);
  const snapshot = await checkSnapshot(options.file);
  requireKeyring(run);
  const views = await etcdViews(run.cluster, run.pool, limitsOf(run));
  const revision = currentRevision(views.map(({ members }) => members));
  const resumes = isResumed(views, revision, snapshot);
  if (!resumes && !options.force) refuseAlive(views, revision);
  const planned = await phaseRun(
    { ...init, name: 'etcd restore' },
    { hooks: resumes ? hooksToFinish(run) : hooksToRestore(run, snapshot, options) },
  ).plan(run);
  const said = resumes
    ? 'etcd started from this snapshot in a run that was interrupted; the rest follows'
    : revision === undefined
      ? 'no etcd answers now'
      : `what etcd holds now, at revision ${revision}, is lost`;
  return {
    ...planned,
    snapshot,
    ...defined({ revision }),
    local: [said],
  };
};

/** The first control plane finishes last: from its mark the next run knows that a restore has not finished on all hosts. */
const finish = (host: ClusterHost, cluster: Cluster): PhaseSteps => {
  const [first, ...others] = controlPlanes(cluster);
  const after = host === first ? others.map(({ name }) => ({ host: name, phase: 'finish-restore' })) : [];
  return operationSteps(finishOperation(host), { after });
};

const requireKeyring = ({ keyring: { missing } }: RunContext): void => {
  if (missing.length === 0) return;
  throw new Failure('refused', 'the keyring does not fit any snapshot', {
    why: [
      ...missing.map((place) => `${place} is missing`),
      'without its keys the secrets in a snapshot cannot be read, and its tokens are void',
    ],
    next: 'bring the keyring of the cluster that was: .kbs beside the inventory',
  });
};

/** Whether the etcd that answers has started from this very snapshot, in a run that was interrupted: nothing is lost. */
const isResumed = (views: readonly EtcdView[], revision: number | undefined, { sha256 }: SnapshotFile): boolean =>
  (revision ?? 0) >= restoredRevisions && views[0]?.started === sha256;

const refuseAlive = (views: readonly EtcdView[], revision: number | undefined): void => {
  if (revision !== undefined) {
    throw new Failure('refused', `etcd is alive, at revision ${revision}: nothing has to be restored`, {
      why: ['whatever was written after the snapshot would be lost, in the cluster as a whole'],
      next: 'to finish an interrupted restore: kbs apply; to go back all the same: --force, after kbs etcd snapshot',
    });
  }
  const unknown = views.filter((view) => view.unknown !== undefined);
  if (unknown.length === 0) return;
  throw new Failure('refused', 'cannot tell whether etcd is alive: it runs and does not answer', {
    where: { host: unknown.map(({ host }) => host).join(', ') },
    why: unknown.map(({ host, unknown: reason }) => `${host}: ${reason}`),
    next: 'see why: kbs etcd status; expired certificates are renewed by kbs apply. To lose what it holds: --force',
  });
};

/** etcd runs from the snapshot already: what is left is to finish. */
const hooksToFinish = ({ cluster }: RunContext): Hooks => ({
  outline: (host) => ({ before: [], after: isControlPlane(host) ? ['finish-restore'] : [] }),
  plan: ({ context }) => ({ facts: context.facts, waitsFor: [], before: new Map(), after: finishing(cluster) }),
});

const finishing = (cluster: Cluster): ReadonlyMap<string, readonly PhaseSteps[]> =>
  new Map(controlPlanes(cluster).map((host) => [host.name, [finish(host, cluster)]]));

/** From the first `stop-etcd` on no etcd runs, until the first control plane has started from the snapshot. */
const hooksToRestore = ({ cluster }: RunContext, snapshot: SnapshotFile, { file, now }: RestoreOptions): Hooks => {
  const hosts = controlPlanes(cluster);
  const [first] = hosts;
  const isFirst = (host: ClusterHost): boolean => host === first;
  return {
    snapshot: uploadedSnapshot,
    outline: (host) =>
      isControlPlane(host)
        ? { before: [...(isFirst(host) ? ['snapshot'] : []), 'stop-etcd'], after: ['finish-restore'] }
        : { before: [], after: [] },
    plan: ({ context }) => ({
      expected: stopped,
      facts: (host) =>
        hosts.some(({ name }) => name === host) ? { ...context.facts(host), etcdMember: false } : context.facts(host),
      waitsFor: hosts.map(({ name }) => ({ host: name, phase: 'stop-etcd' })),
      before: new Map(hosts.map((host) => [host.name, before(host)])),
      after: finishing(cluster),
    }),
  };

  function before(host: ClusterHost): readonly PhaseSteps[] {
    const uploaded = first === undefined ? [] : [{ host: first.name, phase: 'snapshot' }];
    return [
      ...(isFirst(host) ? [operationSteps(uploadOperation(host, file, snapshot))] : []),
      operationSteps(stopEtcdOperation(host, snapshot, now), { after: isFirst(host) ? [] : uploaded }),
    ];
  }
};

/** `stop-etcd` deletes some files and units, and the snapshot may lack objects: the phases apply all of these again. */
const stopped: Expected = {
  isStopped: isControlPlane,
  stateOf(resource, host) {
    if (!isControlPlane(host)) return undefined;
    if (resource.kind === 'object' || resource.kind === 'release')
      return { state: new Unknown('the snapshot decides which objects there are') };
    return takenAway.includes(nameOf(resource)) ? { state: undefined } : undefined;
  },
};

const takenAway: readonly string[] = [
  'file /etc/kubernetes/manifests/etcd.yaml',
  'file /etc/kubernetes/manifests/kube-apiserver.yaml',
  'unit etcd.service',
  'unit kube-apiserver.service',
  'task etcd-member',
  'task etcd-vote',
];
