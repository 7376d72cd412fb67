import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.js';
import { sh } from '../hosts/shell.js';
import { revokeAccess } from './access.js';
import { clearBuilds } from './builds.js';
import { type Hierarchies, hierarchies, killGroup, removeGroup } from './cgroups.js';
import { exists, makeFile } from './files.js';
import { requireIdle } from './lock.js';
import { mountsBelow, unmountBelow } from './mounts.js';
import { goingDown, labFolder, labGroup, labPrefix, type Places, placesOf, uplink } from './paths.js';
import { shell } from './shell.js';
import { labNames, readRecord } from './state-file.js';
import { restoreSysctls } from './sysctls.js';

/**
 * Removes a lab: processes, mounts, namespaces, links, routes, control groups, disks and keys. It needs the name alone
 * and works on whatever a crash left; gives whether there was anything.
 */
export const labDown = async (name: string, places: Places = placesOf()): Promise<boolean> => {
  await requireIdle(await readRecord(places, name));
  return takeDown(places, name, await hierarchies());
};

/** The same without asking whether an `up` is running. The order matters: what holds goes before what is held. */
export const takeDown = async (places: Places, name: string, tree: Hierarchies): Promise<boolean> => {
  const folder = labFolder(places, name);
  const record = await readRecord(places, name);
  const stood = await exists(folder);
  if (stood) await makeFile(goingDown(places, name), '');
  await killGroup(tree, labGroup(name));
  await forgetMachines(name);
  await unmountBelow(folder);
  await removeNetwork(name);
  await removeGroup(tree, labGroup(name));
  await clearBuilds(places, name);
  if (record !== undefined) await revokeAccess(record.state);
  await removeFolder(folder);
  if ((await labNames(places)).length === 0) await restoreMachine(places);
  return stood;
};

/** Removes a lab's namespaces and its uplink, and with them all links and routes. */
export const removeNetwork = async (name: string): Promise<void> => {
  const spaces = (await readdir('/run/netns').catch(() => [])).filter((space) =>
    space.startsWith(`${labPrefix(name)}-`),
  );
  const link = uplink(name);
  await shell(
    'removing the network',
    [
      // With its namespace it goes by itself, perhaps just now.
      sh`ip link delete ${link} 2>/dev/null || [ ! -e ${`/sys/class/net/${link}`} ]`,
      ...spaces.map((space) => sh`ip netns delete ${space}`),
    ].join('\n'),
  );
};

/**
 * What systemd-nspawn keeps of machines that were killed: mount points, and locks. Locks carry the inode of a root that
 * may be long unmounted, so an old one is known by not being held; a machine that starts just now makes itself another.
 */
const forgetMachines = async (name: string): Promise<void> => {
  const kept = '/run/systemd/nspawn';
  const machines = await readdir(join(kept, 'propagate')).catch(() => []);
  for (const machine of machines.filter((each) => each.startsWith(`${labPrefix(name)}-`)))
    await rm(join(kept, 'propagate', machine), { recursive: true, force: true });
  await shell(
    'removing locks of machines that are gone',
    sh`for lock in ${`${kept}/locks`}/*; do
  if [ -e "$lock" ]; then flock --nonblock --conflict-exit-code 0 "$lock" rm -f "$lock"; fi
done`,
  );
};

/** Nothing is removed through a mount: what lies behind it is not the lab's. */
const removeFolder = async (folder: string): Promise<void> => {
  const still = await mountsBelow(folder);
  if (still.length > 0) throw new Failure('refused', `${folder} is still mounted`, { why: still });
  // What a killed `up` had started, such as ssh-keygen, may still be writing its last file.
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
};

const restoreMachine = async (places: Places): Promise<void> => {
  await restoreSysctls(places);
  await rmdir(places.home).catch(() => undefined); // absent, or not the lab's alone
};
