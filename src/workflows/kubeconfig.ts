import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { Failure } from '../failure.js';
import type { Credentials } from '../pki/credentials.js';
import { mergeKubeconfigs } from '../pki/kubeconfig.js';
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

/** Adds it to the operator's own kubeconfig, whose other clusters stay; gives that file's path. */
export const mergeKubeconfig = async (loaded: LoadedCluster): Promise<string> => {
  const path = process.env.KUBECONFIG?.split(':')[0] || join(homedir(), '.kube', 'config');
  const there = new Secret(
    await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      // One that is there and cannot be read must not be replaced by one without its other clusters.
      if (error.code === 'ENOENT') return '';
      throw new Failure('refused', `${path} cannot be read`, { why: [error.message], next: 'repair its permissions' });
    }),
  );
  const merged = mergeKubeconfigs(there, await readKubeconfig(loaded), loaded.cluster.name);
  await withWriteErrors(path, 'repair its permissions, or name another file in $KUBECONFIG', async () => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFileAtomic(path, merged.reveal(), { mode: 0o600 });
  });
  return path;
};

/** Where the administrator's kubeconfig lies, if it is there. */
export const kubeconfigPath = ({ state }: Pick<LoadedCluster, 'state'>): string => join(state, 'kubeconfig');
