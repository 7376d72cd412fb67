import { chmod, chown, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';

/** A folder with exactly that mode, whatever the umask; its parent must exist. */
export const makeFolder = async (path: string, mode = 0o755): Promise<void> => {
  await mkdir(path, { recursive: true });
  await chmod(path, mode);
};

/** A whole file or none, with exactly that mode, whatever the umask; its folder must exist. */
export const makeFile = async (path: string, content: string, mode = 0o644): Promise<void> => {
  await writeFile(`${path}.new`, content, { mode: 0o600 });
  await chmod(`${path}.new`, mode);
  await rename(`${path}.new`, path);
};

export const giveTo = async (owner: Owner, ...paths: readonly string[]): Promise<void> => {
  for (const path of paths) await chown(path, owner.uid, owner.gid);
};

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

export const readIfThere = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });

export const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENODEV');
