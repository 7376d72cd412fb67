import { cp, mkdtemp, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { prepareDisk } from '../../../src/lab/disk.js';
import { findHosts } from '../../../src/lab/find.js';
import { labKill, labStart } from '../../../src/lab/index.js';
import { hostFolder, placesOf } from '../../../src/lab/paths.js';

/**
 * Another machine in the place of this one: it is powered off and boots from a bare disk. Only its SSH host key is the
 * former one, so that known_hosts stays valid. `labFiles` is the lab's own folder.
 */
export const replaceMachine = async (name: string, labFiles: string): Promise<void> => {
  await labKill(name);
  await replaceDisk(name, labFiles);
  await labStart(name);
};

/** The same for a machine that is off, and stays so. */
export const replaceDisk = async (name: string, labFiles: string): Promise<void> => {
  const places = placesOf();
  const operator = (await readFile(join(labFiles, 'key.pub'), 'utf8')).trim();
  const kept = await mkdtemp(join(tmpdir(), 'kbs-key-'));
  for (const { lab, host } of await findHosts(places, name)) {
    const folder = hostFolder(places, lab, host.name);
    const keys = ['ssh_host_ed25519_key', 'ssh_host_ed25519_key.pub'];
    for (const key of keys) await cp(join(folder, 'upper/etc/ssh', key), join(kept, key));
    await execa('umount', [join(folder, 'root')], { reject: false });
    const image = await readlink(join(folder, 'image'));
    await prepareDisk(places, lab, host, image, operator);
    for (const key of keys) await cp(join(kept, key), join(folder, 'upper/etc/ssh', key));
  }
  await rm(kept, { recursive: true });
};
