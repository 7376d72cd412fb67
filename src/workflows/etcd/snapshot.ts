import { createHash } from 'node:crypto';
import { open as openFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Failure } from '../../failure.js';
import { type Host, mutation, query, type RunOptions } from '../../hosts/host.js';
import { lastLines } from '../../hosts/last-lines.js';
import { raw, sh } from '../../hosts/shell.js';
import { controlPlanes } from '../../inventory/cluster.js';
import { selectEtcdHost } from '../../kubernetes/api-host.js';
import { hasLeader, memberAt, membersOf } from '../../kubernetes/etcd-members.js';
import { etcdctl, localEndpoint } from '../../kubernetes/etcdctl.js';
import { makePrivateFolder } from '../../private-folder.js';
import { loadCluster } from '../load-cluster.js';
import { withPool } from '../run/pool.js';
import type { EtcdOptions } from './etcd.js';
import { requireOwnEtcd } from './own-etcd.js';

/** A snapshot, as etcdutl reads it. */
export interface SnapshotFacts {
  readonly revision: number;
  readonly keys: number;
  /** Bytes. */
  readonly size: number;
  /** In hexadecimal digits. */
  readonly hash: string;
}

export interface Snapshot extends SnapshotFacts {
  readonly file: string;
  /** Whose data it is. */
  readonly host: string;
}

/**
 * Takes a snapshot of a voting member into a file of this machine, readable by its owner alone. It counts only once
 * etcdutl has read all of it, and the copy here is the same. `to` is below the cluster's state where absent.
 */
export const takeSnapshot = async (
  inventory: string,
  to: string | undefined,
  now: Date,
  { acceptNewHostKeys, limits }: EtcdOptions,
): Promise<Snapshot> => {
  const { cluster, state } = await loadCluster(inventory);
  requireOwnEtcd(cluster);
  const file = resolve(to ?? join(state, 'snapshots', `etcd-${stamp(now)}.db`));
  return withPool(acceptNewHostKeys, async (pool) => {
    const apiHost = await selectEtcdHost(cluster, pool, limits);
    const members = await membersOf(apiHost, cluster, limits);
    const voter = controlPlanes(cluster).find((host) => {
      const member = memberAt(members, host);
      return member !== undefined && !member.learner && hasLeader(member);
    });
    const host = pool.host(voter ?? apiHost.at);
    const saved = await save(host, limits);
    try {
      await fetchSnapshot(host, saved, file, limits);
    } finally {
      await host.mutate(mutation(sh`rm -rf ${saved.folder}`), { timeout: 30_000 }).catch(() => {});
    }
    return { ...saved.facts, file, host: host.name };
  });
};

/** As a part of file names, in UTC: `2026-11-21T09-45-38Z`. */
export const stamp = (now: Date): string =>
  now
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-');

interface Saved {
  readonly folder: string;
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly facts: SnapshotFacts;
}

const save = async (host: Host, limits: RunOptions): Promise<Saved> => {
  const output = await host.mutate(
    mutation(sh`umask 077
kbs_folder=$(mktemp -d /var/tmp/kbs.XXXXXX)
trap 'rm -rf "$kbs_folder"; exit 1' HUP INT TERM
{
  ${raw(etcdctl([localEndpoint]))} --command-timeout=1200s snapshot save "$kbs_folder/snapshot.db" >/dev/null &&
  kbs_facts=$(/usr/local/bin/etcdutl snapshot status "$kbs_folder/snapshot.db" -w json)
} || { rm -rf "$kbs_folder"; exit 1; }
printf '%s\\n' "$kbs_folder" "$kbs_facts" "$(stat -c %s "$kbs_folder/snapshot.db")" "$(sha256sum < "$kbs_folder/snapshot.db")"`),
    { timeout: 1_300_000, ...limits },
  );
  const [folder = '', facts = '', size = '', digest = ''] = output.stdout.split('\n');
  if (output.code !== 0) {
    throw new Failure('refused', 'etcd gave no snapshot', {
      where: { host: host.name },
      why: lastLines(output.stderr, 4),
      next: 'see how its members are: kbs etcd status; and whether /var/tmp has room for one',
    });
  }
  return {
    folder,
    path: `${folder}/snapshot.db`,
    size: Number(size),
    sha256: digest.slice(0, 64),
    facts: parseSnapshotFacts(facts),
  };
};

/** Reads what `etcdutl snapshot status -w json` prints. */
export const parseSnapshotFacts = (json: string): SnapshotFacts => {
  const { hash, revision, totalKey, totalSize } = JSON.parse(json) as Record<string, number>;
  return { hash: (hash ?? 0).toString(16), revision: revision ?? 0, keys: totalKey ?? 0, size: totalSize ?? 0 };
};

/**
 * Copies a file of a host here, in pieces, so that neither side holds all of it in memory; under another name first:
 * half a snapshot never has the name of one. Throws where the copy is not the file that was announced.
 */
export const fetchSnapshot = async (
  host: Host,
  { path, size, sha256 }: Pick<Saved, 'path' | 'size' | 'sha256'>,
  file: string,
  limits: RunOptions,
): Promise<void> => {
  makePrivateFolder(dirname(file));
  const beside = `${file}.part`;
  await rm(beside, { force: true });
  const handle = await openFile(beside, 'wx', 0o600);
  const digest = createHash('sha256');
  try {
    for (let piece = 0; piece * pieceSize < size; piece++) {
      const script = sh`dd if=${path} bs=${pieceSize} skip=${piece} count=1 iflag=fullblock status=none | base64 -w 0`;
      const { stdout } = await host.query(query(script), limits);
      const bytes = Buffer.from(stdout, 'base64');
      digest.update(bytes);
      await handle.write(bytes);
    }
    await handle.sync();
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  if (digest.digest('hex') !== sha256) {
    await rm(beside, { force: true });
    throw new Failure('refused', 'the snapshot changed on its way here', {
      where: { host: host.name },
      next: 'run the same command again',
    });
  }
  await rename(beside, file);
};

const pieceSize = 16 * 1024 * 1024;
