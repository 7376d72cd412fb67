import { rm, statfs, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.js';
import { makeFile, makeFolder } from './files.js';
import { machineScript } from './machine.js';
import { hostFolder, type Places } from './paths.js';
import { platformOf } from './platforms.js';
import type { HostSpec } from './spec.js';

/**
 * Makes the folder of a host that was never booted: its script, and its disks on top of an image of its platform. Gives
 * the host's public key, as in a known_hosts file.
 */
export const prepareDisk = async (
  places: Places,
  lab: string,
  host: HostSpec,
  image: string,
  operatorKey: string,
): Promise<string> => {
  const folder = hostFolder(places, lab, host.name);
  await rm(folder, { recursive: true, force: true });
  await makeFolder(folder);
  await symlink(image, join(folder, 'image'));
  await makeFile(join(folder, 'machine.sh'), machineScript(places, lab, host), 0o755);
  return platformOf(host).prepare(folder, host, operatorKey);
};

/** Refuses a home for labs on an overlay, as in most containers: it carries no overlay of its own. */
export const requireDisk = async (home: string): Promise<void> => {
  const { type } = await statfs(home);
  if (type !== overlayMagic) return;
  throw new Failure('preflight', `${home} lies on an overlay, and a lab needs a real file system or a tmpfs`, {
    next: 'name a folder that does not: KBS_LAB_HOME=/some/where',
  });
};

/** statfs(2), OVERLAYFS_SUPER_MAGIC. */
const overlayMagic = 0x794c7630;
