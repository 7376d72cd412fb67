import { writeFile } from 'node:fs/promises';
import { Failure } from '../failure.js';
import { saveInventory } from '../inventory/edit.js';
import { withWriteErrors } from './write-error.js';

/**
 * Writes a new inventory. Throws `usage` where the file exists, unless it is to be replaced: then a reader sees the old
 * text or the new one.
 */
export const writeInventory = (path: string, text: string, replace: boolean): Promise<void> =>
  withWriteErrors(path, 'name another file', async () => {
    if (replace) return saveInventory(path, text);
    await writeFile(path, text, { flag: 'wx' }).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EEXIST') throw cause;
      throw new Failure('usage', `${path} exists already`, {
        next: 'name another file, or replace it: --force',
        cause,
      });
    });
  });
