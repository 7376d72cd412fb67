import { readFile } from 'node:fs/promises';
import { Failure } from '../failure.js';
import { saveInventory } from '../inventory/edit.js';
import type { LoadedCluster } from './load-cluster.js';

/** Writes an inventory whose file still holds what was read. Throws `refused` where it was edited meanwhile. */
export const saveLoadedInventory = async (
  { inventory, onDisk }: Pick<LoadedCluster, 'inventory' | 'onDisk'>,
  text: string,
): Promise<void> => {
  const now = await readFile(inventory, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (now !== onDisk) {
    throw new Failure('refused', `${inventory} was edited while kbs was running: it is left as it is`, {
      next: 'run the same command again: it reads the file anew',
    });
  }
  await saveInventory(inventory, text);
};
