import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../secret.js';

/** Where kbs keeps what it built or unpacked: `$XDG_CACHE_HOME/kbs`, else `~/.cache/kbs`. */
export const cacheFolder = (environment: NodeJS.ProcessEnv = process.env): string =>
  join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'kbs');

/** A name for what these inputs make: the same inputs give the same name, any other input another one. */
export const keyOf = (name: string, inputs: unknown): string =>
  `${name}-${sha256(JSON.stringify(inputs)).slice(0, 20)}`;

/**
 * The folder `key` in the cache, made by `make` where it is not there yet. `make` writes into a folder of its own,
 * which takes its name only when it is whole and on the disk: a killed build leaves nothing that looks finished.
 */
export const buildCached = async (
  cache: string,
  key: string,
  make: (folder: string) => Promise<void>,
): Promise<{ readonly folder: string; readonly made: boolean }> => {
  const folder = join(cache, key);
  if (await exists(folder)) return { folder, made: false };
  const beside = `${folder}.${process.pid}${partial}`;
  await rm(beside, { recursive: true, force: true });
  await mkdir(beside, { recursive: true });
  try {
    await make(beside);
    await syncFiles(beside);
    await rename(beside, folder);
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    // Another run made the same first: its result is as good.
    if (!(await exists(folder))) throw error;
  }
  return { folder, made: true };
};

/** Removes what was made under the same name as `key` from other inputs, unless it was within a day: another run may be at it. */
export const sweepOthers = async (cache: string, key: string): Promise<void> => {
  const prefix = key.slice(0, key.lastIndexOf('-') + 1);
  for (const name of await readdir(cache).catch(() => [])) {
    if (name === key || !name.startsWith(prefix) || !/^[0-9a-f]+$/.test(name.slice(prefix.length))) continue;
    const made = await stat(join(cache, name)).catch(() => undefined);
    if (made !== undefined && made.mtimeMs < Date.now() - day) {
      await rm(join(cache, name), { recursive: true, force: true });
    }
  }
};

const day = 24 * 60 * 60 * 1000;

/** Removes the unfinished folders of runs that were killed. */
export const sweep = async (cache: string): Promise<void> => {
  const names = await readdir(cache).catch(() => []);
  for (const name of names) {
    const pid = unfinishedBy(name);
    if (pid && !isRunning(pid)) await rm(join(cache, name), { recursive: true, force: true });
  }
};

/** The process whose unfinished work a name of the cache is, `NAME.PID.partial`; NaN where it is none. */
export const unfinishedBy = (name: string): number => Number(/\.(\d+)\.partial$/.exec(name)?.[1]);

const partial = '.partial';

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Everything in the folder is on the disk, so that a rename after a power cut never names an empty file. */
const syncFiles = async (folder: string): Promise<void> => {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const handle = await open(join(entry.parentPath, entry.name));
    await handle.sync();
    await handle.close();
  }
};

/** Whether there is a process of this id, whosever it is. */
export const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};
