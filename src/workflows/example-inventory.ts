import { constants, copyFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { withWriteErrors } from './write-error.js';

/** Puts the two-segment example where the operator asked for it. A file that is there is never replaced. */
export const writeExample = (path: string): Promise<void> => {
  const example = fileURLToPath(new URL('../../inventories/two-segments.yaml', import.meta.url));
  return withWriteErrors(path, 'name another file: kbs inventory init FILE', () =>
    copyFile(example, path, constants.COPYFILE_EXCL),
  );
};
