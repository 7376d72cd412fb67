import type { Emit, Summary } from '../../engine/event.js';
import { Failure } from '../../failure.js';
import { livingRevision } from '../../kubernetes/etcd-members.js';
import { restoredRevisions, uploadedSnapshot } from '../../kubernetes/etcdctl.js';
import { keyringDirectory, readKeyring } from '../../pki/keyring.js';
import type { LoadedCluster } from '../load-cluster.js';
import { foresee, type Launch, launch, withPool } from '../run/launch.js';
import { holdingLock } from '../run/lock.js';
import type { EtcdOptions } from './etcd.js';
import { putAside, refuseSilent, upload, viewsOf } from './restore-hosts.js';
import { isRestoring, markRestore, unmarkRestore } from './restore-mark.js';
import type { SnapshotFacts } from './snapshot.js';
import { checkSnapshot, type SnapshotFile } from './snapshot-file.js';

export interface Restore extends EtcdOptions {
  /** The snapshot, on this machine. */
  readonly file: string;
  /** Also where etcd has its quorum, and what it holds will be lost. */
  readonly force: boolean;
  readonly now: Date;
}

/** What is to be lost, and what would speak against it. Nothing is touched. */
export interface RestoreLook extends SnapshotFile {
  /** The revision of the etcd that answers now; absent where none has a quorum. */
  readonly revision?: number;
  /** The etcd that answers has begun with this very snapshot, in a run that was interrupted: nothing is lost. */
  readonly goesOn: boolean;
}

/**
 * Checks that the file is a whole snapshot, that the keyring can read what is in it, that all control planes answer,
 * and that no etcd lives on them. Throws all that speaks against it.
 */
export const lookAtRestore = async (opened: LoadedCluster, options: Restore): Promise<RestoreLook> => {
  const { cluster, inventory, state } = opened;
  const snapshot = await checkSnapshot(options.file);
  const { missing } = await readKeyring(keyringDirectory(inventory, cluster.name), cluster, options.now);
  const lost = missing.filter((what) => /^(ca|etcd\/ca|front-proxy-ca|sa|encryption\.key) /.test(what));
  if (lost.length > 0) {
    throw new Failure('refused', 'the keyring does not fit to any snapshot', {
      why: [...lost, 'without its keys the secrets in a snapshot cannot be read, and its tokens are void'],
      next: 'bring the keyring of the cluster that was: .kbs beside the inventory',
    });
  }
  return withPool(options.acceptNewHostKeys, async (pool) => {
    await refuseSilent(cluster, pool, options.limits);
    const revision = livingRevision(await viewsOf(cluster, pool, options.limits));
    const goesOn =
      !options.force && (revision ?? 0) >= restoredRevisions && (await isRestoring(state, snapshot.sha256));
    if (revision !== undefined && !options.force && !goesOn) {
      throw new Failure('refused', `etcd is alive, at revision ${revision}: nothing has to be restored`, {
        why: ['whatever was written after the snapshot would be lost, in the cluster as a whole'],
        next: 'to go back all the same: --force; take a snapshot first: kbs etcd snapshot',
      });
    }
    return { ...snapshot, goesOn, ...(revision === undefined ? {} : { revision }) };
  });
};

export interface Restored {
  readonly snapshot?: SnapshotFacts;
  /** By control plane: where its old data lie. */
  readonly backups: Readonly<Record<string, string>>;
  readonly summary: Summary;
}

/**
 * Begins anew from a snapshot: API servers and etcd stop everywhere, their data are put backups, and then it is `init`,
 * whose first member begins with the snapshot while the others join it. What `init` would refuse is told before anything
 * stops. Killed anywhere, the same again finishes.
 */
export const restore = async (
  opened: LoadedCluster,
  options: Restore & { readonly emit: Emit; readonly signal: AbortSignal },
): Promise<Restored> => {
  const { state } = opened;
  const { emit, signal, say, acceptNewHostKeys, limits } = options;
  return holdingLock({ directory: state, command: 'etcd restore', say }, async () => {
    const look = await lookAtRestore(opened, options);
    const init: Launch = {
      workflow: 'init',
      snapshot: uploadedSnapshot,
      emit,
      signal,
      say,
      acceptNewHostKeys,
      locked: true,
      ...(limits.timeout === undefined ? {} : { timeout: limits.timeout }),
    };
    if (look.goesOn) say('etcd began with this snapshot before; the rest follows');
    const prepared = look.goesOn ? { backups: {} } : await makeWay(opened, options, look, init);
    const { summary } = await launch(opened, init);
    await unmarkRestore(state);
    return { ...prepared, summary };
  });
};

/** From here on no etcd lives, until the first control plane has begun with the snapshot. */
const makeWay = async (
  opened: LoadedCluster,
  options: Restore,
  { size, sha256 }: SnapshotFile,
  init: Launch,
): Promise<Pick<Restored, 'snapshot' | 'backups'>> => {
  const { cluster, state } = opened;
  const { say, limits } = options;
  await foresee(opened, { ...init, exact: true, emit: () => {}, say: () => {} });
  return withPool(options.acceptNewHostKeys, async (pool) => {
    await unmarkRestore(state);
    const snapshot = await upload(cluster, pool, { file: options.file, size }, limits);
    if (snapshot) say(`the snapshot holds ${snapshot.keys} keys at revision ${snapshot.revision}`);
    const backups = await putAside(cluster, pool, options);
    for (const [host, path] of Object.entries(backups)) say(`${host}: the data of before are in ${path}`);
    // Not before: as long as the old etcd could still live, it must not be taken for the new one.
    await markRestore(state, sha256);
    return { ...(snapshot ? { snapshot } : {}), backups };
  });
};
