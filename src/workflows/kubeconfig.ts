import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { Failure } from '../failure.js';
import type { Credentials } from '../pki/credentials.js';
import type { KubeconfigEntries } from '../pki/kubeconfig.js';
import { entriesOf, mergeKubeconfig } from '../pki/merge-kubeconfig.js';
import { makePrivateFolder } from '../private-folder.js';
import { Secret } from '../secret.js';
import type { LoadedCluster } from './load-cluster.js';
import { withWriteErrors } from './write-error.js';

/** Writes the administrator's kubeconfig where it is not there or differs; gives its path when it did. */
export const keepKubeconfig = async (
  loaded: Pick<LoadedCluster, 'state'>,
  credentials: Credentials,
): Promise<string | undefined> => {
  const path = kubeconfigPath(loaded);
  const text = credentials.kubeconfig('admin').reveal();
  if ((await readFile(path, 'utf8').catch(() => '')) === text) return undefined;
  makePrivateFolder(loaded.state);
  await writeFileAtomic(path, text, { mode: 0o600 });
  return path;
};

export const readKubeconfig = async (loaded: LoadedCluster): Promise<Secret> => {
  const text = await readFile(kubeconfigPath(loaded), 'utf8').catch((cause: unknown) => {
    throw new Failure('refused', `cluster ${loaded.cluster.name} has no kubeconfig yet`, {
      next: 'bring it up: kbs init',
      cause,
    });
  });
  return new Secret(text);
};

/** The administrator's entries as they stand among those of other clusters: `NAME`, and the user `NAME-admin`. */
export const administratorEntries = async (loaded: LoadedCluster, name: string): Promise<KubeconfigEntries> =>
  entriesOf(await readKubeconfig(loaded), { cluster: name, user: `${name}-admin`, context: name });

/** The kubeconfig that kubectl writes to: the first of $KUBECONFIG, else ~/.kube/config. */
export const ownKubeconfig = (): string =>
  process.env.KUBECONFIG?.split(':').find((path) => path !== '') ?? join(homedir(), '.kube', 'config');

/** Adds entries to the operator's own kubeconfig, whose other clusters stay. Throws where one of them would be replaced. */
export const addToKubeconfig = async (path: string, entries: KubeconfigEntries): Promise<void> => {
  const merged = await mergedWith(path, entries);
  await writePrivately(path, merged, 'repair its permissions, or name another file');
};

/** The same without writing: throws what `addToKubeconfig` would. */
export const mergedWith = async (path: string, entries: KubeconfigEntries): Promise<Secret> => {
  const there = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    // One that is there and cannot be read must not be replaced by one without its other clusters.
    if (error.code === 'ENOENT') return '';
    throw new Failure('refused', `${path} cannot be read`, { why: [error.message], next: 'repair its permissions' });
  });
  return mergeKubeconfig(new Secret(there), entries, path);
};

/** Writes a kubeconfig as a file of its own, for its owner only. */
export const writePrivately = (path: string, text: Secret, next = 'name another file'): Promise<void> =>
  withWriteErrors(path, next, async () => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFileAtomic(path, text.reveal(), { mode: 0o600 });
  });

/** Where the administrator's kubeconfig lies, if it is there. */
export const kubeconfigPath = ({ state }: Pick<LoadedCluster, 'state'>): string => join(state, 'kubeconfig');
