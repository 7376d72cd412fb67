import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { makePrivateFolder } from '../../private-folder.js';

/**
 * Notes on this machine that a restore is under way: the old data are put aside everywhere, so whatever etcd lives
 * from now on is the one that began with this snapshot, `sha256`. It stays until the restore is done.
 */
export const markRestore = async (state: string, sha256: string): Promise<void> => {
  makePrivateFolder(state);
  await writeFileAtomic(pathIn(state), `${JSON.stringify({ sha256 })}\n`, { mode: 0o600 });
};

/** Whether a restore of that very snapshot is under way. */
export const isRestoring = async (state: string, sha256: string): Promise<boolean> => {
  const text = await readFile(pathIn(state), 'utf8').catch(() => '');
  return text.includes(`"${sha256}"`);
};

export const unmarkRestore = (state: string): Promise<void> => rm(pathIn(state), { force: true });

const pathIn = (state: string): string => join(state, 'restoring.json');
