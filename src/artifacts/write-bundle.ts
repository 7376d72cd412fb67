import { constants } from 'node:fs';
import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type BundleCatalogue, printCatalogue } from './bundle-catalogue.js';
import type { PackedMember } from './bundle-members.js';

/**
 * Puts the members and their catalogue into the folder `into`, which is the whole bundle or the one that was there
 * before, never half of it.
 */
export const writeBundle = async (
  into: string,
  catalogue: BundleCatalogue,
  members: readonly PackedMember[],
): Promise<void> => {
  const folder = resolve(into);
  const beside = `${folder}.${process.pid}.partial`;
  const old = `${folder}.${process.pid}.old`;
  await rm(beside, { recursive: true, force: true });
  for (const { source, member } of members) {
    const target = join(beside, member.file);
    await mkdir(dirname(target), { recursive: true });
    // A copy that shares its blocks where the file system can; never a link, for damage would reach the cache.
    await copyFile(source, target, constants.COPYFILE_FICLONE);
  }
  await writeFile(join(beside, 'catalogue.json'), printCatalogue(catalogue));
  await rename(folder, old).catch(() => undefined);
  await rename(beside, folder);
  await rm(old, { recursive: true, force: true });
};
