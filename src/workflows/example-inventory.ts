import { constants, copyFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { withWriteErrors } from './write-error.js';

/** Writes the two-segment example to a file; an existing file is not replaced. */
export const writeExample = (path: string): Promise<void> => {
  const example = fileURLToPath(new URL('../../inventories/two-segments.yaml', import.meta.url));
  return withWriteErrors(path, 'name another file: kbs inventory init FILE', () =>
    copyFile(example, path, constants.COPYFILE_EXCL),
  );
};
