import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Failure } from '../failure.js';
import { architectures } from './arch.js';
import { type BundleCatalogue, printCatalogue } from './bundle-catalogue.js';
import type { PackedMember } from './bundle-members.js';
import { isRunning } from './cache.js';

/**
 * Puts the members and their catalogue into the folder `into`, which is the whole bundle or the one that was there
 * before, never half of it. A Failure where something else is there.
 */
export const writeBundle = async (
  into: string,
  catalogue: BundleCatalogue,
  members: readonly PackedMember[],
): Promise<void> => {
  await requirePlace(into);
  const folder = resolve(into);
  const beside = `${folder}.${process.pid}.partial`;
  const old = `${folder}.${process.pid}.old`;
  await rm(beside, { recursive: true, force: true });
  try {
    for (const { source, member } of members) {
      const target = join(beside, member.file);
      await mkdir(dirname(target), { recursive: true });
      // A copy that shares its blocks where the file system can; never a link, for damage would reach the cache.
      await copyFile(source, target, constants.COPYFILE_FICLONE);
    }
    await writeFile(join(beside, 'catalogue.json'), printCatalogue(catalogue));
    await takePlace(beside, folder, old);
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
  await rm(old, { recursive: true, force: true });
};

/** Another run may put its own bundle there in between: then it is that one's turn to go. */
const takePlace = async (beside: string, folder: string, old: string): Promise<void> => {
  for (let tries = 1; ; tries++) {
    await rm(old, { recursive: true, force: true });
    await rename(folder, old).catch(() => undefined);
    try {
      return await rename(beside, folder);
    } catch (error) {
      const isThere = error instanceof Error && 'code' in error && ['ENOTEMPTY', 'EEXIST'].includes(String(error.code));
      if (isThere && tries < mostTries) continue;
      await rename(old, folder).catch(() => undefined);
      throw error;
    }
  }
};

const mostTries = 20;

/**
 * Nothing that is no bundle lies where one is to be made: a Failure says what does. A folder is free, empty, or a bundle
 * and nothing beside it; a `.tar` is free or a file.
 */
export const requirePlace = async (into: string): Promise<void> => {
  await settleOld(resolve(into));
  const found = await stat(into).catch(() => undefined);
  if (found === undefined || (into.endsWith('.tar') && found.isFile())) return;
  if (into.endsWith('.tar') || !found.isDirectory()) throw taken(into, `it is a ${found.isFile() ? 'file' : 'folder'}`);
  const names = await readdir(into).catch((): string[] => []);
  const foreign = names.find((name) => !ofBundles.has(name));
  if (foreign !== undefined) throw taken(into, `it holds ${foreign}`);
  if (names.length === 0 || names.includes('catalogue.json')) return;
  // Not while another run replaces it.
  const isThere = (path: string) => stat(path).then(Boolean, () => false);
  if (!(await isThere(join(into, 'catalogue.json'))) && (await isThere(into))) {
    throw taken(into, 'it has no catalogue.json');
  }
};

/**
 * A run that was killed while it put its bundle in place has left the one before beside, as `.PID.old`: it goes back where no
 * bundle is, else it is removed.
 */
const settleOld = async (folder: string): Promise<void> => {
  for (const name of await readdir(dirname(folder)).catch((): string[] => [])) {
    const pid = Number(/\.(\d+)\.old$/.exec(name)?.[1]);
    if (name !== `${basename(folder)}.${pid}.old` || isRunning(pid)) continue;
    const left = join(dirname(folder), name);
    // A rename over a folder that is not empty fails.
    await rename(left, folder).catch(() => rm(left, { recursive: true, force: true }));
  }
};

/** What lies in a bundle's folder, also in one that an earlier kbs made for one architecture. */
const ofBundles = new Set<string>(['catalogue.json', 'charts', ...architectures, 'binaries', 'images', 'packages']);

const taken = (path: string, why: string): Failure =>
  new Failure('usage', `${path} is there already, and is no bundle that another could replace`, {
    where: { resource: path },
    why: [why],
    next: 'name a path where nothing is yet, an empty folder, or a bundle; nothing was changed there',
  });
