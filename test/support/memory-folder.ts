import { accessSync, constants } from 'node:fs';
import { tmpdir } from 'node:os';

/**
 * Where to make a temporary folder whose files are synced often: in memory, where fsync(2) costs nothing, if this
 * machine has /dev/shm. It may be mounted noexec: for data only.
 */
export const memoryFolder = (): string => {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return '/dev/shm';
  } catch {
    return tmpdir();
  }
};
