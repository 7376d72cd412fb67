import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';

/**
 * A folder for what may hold secrets: made with its parents where it is missing, 0700, and kept out of version control
 * before anything is put there. The `.gitignore` with `*` lies in the `.kbs` that the folder is in; elsewhere in the
 * first folder that was made for it. One that is there already stays as it is. Throws what the system answers.
 */
export function makePrivateFolder(path: string): void {
  const made = mkdirSync(path, { recursive: true, mode: 0o700 });
  const guarded = stateRoot(path) ?? made;
  if (guarded !== undefined) ignoreAll(guarded);
}

/** What a `.gitignore` says that keeps everything beside and below it, itself included, out of git. */
export const ignoreEverything = '*\n';

/** The innermost `.kbs` of a path. */
const stateRoot = (path: string): string | undefined => {
  const folders = resolve(path).split(sep);
  const at = folders.lastIndexOf('.kbs');
  return at === -1 ? undefined : folders.slice(0, at + 1).join(sep);
};

const ignoreAll = (folder: string): void => {
  try {
    writeFileSync(join(folder, '.gitignore'), ignoreEverything, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
};
