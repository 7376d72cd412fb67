import { constants, copyFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Failure } from '../failure.js';

/** Puts the two-segment example where the operator asked for it. A file that is there is never replaced. */
export const writeExample = async (path: string): Promise<void> => {
  const example = fileURLToPath(new URL('../../inventories/two-segments.yaml', import.meta.url));
  await copyFile(example, path, constants.COPYFILE_EXCL).catch((cause: unknown) => {
    throw new Failure('usage', `${path} cannot be written`, {
      why: [cause instanceof Error ? cause.message : ''],
      next: 'name another file: kbs inventory init FILE',
      cause,
    });
  });
};
