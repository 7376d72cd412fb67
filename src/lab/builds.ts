import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { unmountBelow } from './mounts.js';
import { labId, type Places } from './paths.js';

/** Where a lab makes an image; it goes to its own place when it is whole. */
export const buildFolder = (image: string, lab: string): string => `${image}.building-${labId(lab)}`;

export const clearBuild = async (folder: string): Promise<void> => {
  await unmountBelow(folder);
  await rm(folder, { recursive: true, force: true });
};

/** Removes the unfinished images of a `lab up` that was killed. */
export const clearBuilds = async (places: Places, lab: string): Promise<void> => {
  for (const entry of await readdir(places.cache).catch(() => [])) {
    if (entry.endsWith(`.building-${labId(lab)}`)) await clearBuild(join(places.cache, entry));
  }
};
