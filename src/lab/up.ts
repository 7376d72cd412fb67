import { isDeepStrictEqual } from 'node:util';
import { defined } from '../defined.js';
import { Failure } from '../failure.js';
import type { Cluster } from '../inventory/cluster.js';
import { grantAccess, makeOperatorKey } from './access.js';
import { enter, hierarchies, killGroup, processesIn } from './cgroups.js';
import { delayAgain } from './delay.js';
import { prepareDisk, requireDisk } from './disk.js';
import { removeNetwork, takeDown } from './down.js';
import { exists, makeFolder } from './files.js';
import { type Lab, type LabRecord, labOf, type Progress } from './lab.js';
import { requireIdle, upProcess } from './lock.js';
import { switchUp } from './network.js';
import { hostGroup, labFolder, labGroup, namespaceFile, type Places, placesOf, switchNamespace } from './paths.js';
import type { LabAt } from './platform.js';
import { platformOf } from './platforms.js';
import { boot } from './power.js';
import { requireLab } from './requirements.js';
import { requireFreeNetworks } from './routes.js';
import { shell } from './shell.js';
import { type LabSpec, specOf } from './spec.js';
import { readRecord, writeRecord } from './state-file.js';
import { overrideSysctls } from './sysctls.js';
import { awaitSsh } from './wait-for-ssh.js';

export interface LabUpOptions {
  /** The lab's folder beside the inventory, absolute: see labState. */
  readonly state: string;
  /** Whether Debian packages that are missing may be installed on this machine. */
  readonly install: boolean;
  readonly onProgress: Progress;
  /** Shown by `lab status`. */
  readonly inventoryFile?: string;
  readonly places?: Places;
}

/**
 * Makes every host, segment and router of a cluster on this machine and comes back when each host answers SSH.
 * A lab that stands already is left as it is and only its stopped hosts are started; what a crash left is removed.
 */
export const labUp = async (cluster: Cluster, options: LabUpOptions): Promise<Lab> => {
  const places = options.places ?? placesOf();
  requireSshHosts(cluster);
  const spec = specOf(cluster);
  await requireLab(spec, options.install, options.onProgress);
  const found = await readRecord(places, cluster.name);
  await requireIdle(found);
  const wanted: LabRecord = {
    name: cluster.name,
    state: options.state,
    ...(options.inventoryFile === undefined ? {} : { inventoryFile: options.inventoryFile }),
    since: new Date().toISOString(),
    complete: false,
    up: await upProcess(),
    spec,
  };
  const record = found?.complete ? await resume(places, found, wanted, options) : await build(places, wanted, options);
  return labOf(places, record);
};

const build = async (places: Places, record: LabRecord, options: LabUpOptions): Promise<LabRecord> => {
  const { name, spec, state } = record;
  const say = options.onProgress;
  const tree = await hierarchies();
  await takeDown(places, name, tree);
  await requireFreeNetworks(places, record);
  for (const folder of [places.home, labFolder(places, name)]) await makeFolder(folder);
  await requireDisk(places.home);
  return finishing(places, record, async () => {
    await overrideSysctls(places, say);
    const images = await imagesOf({ places, name, tree }, spec, say);
    say(`${spec.segments.length} segments, ${spec.hosts.length} hosts`);
    await shell('making the network', enter(tree, `${labGroup(name)}/up`) + switchUp(name, spec));
    const publicKey = await makeOperatorKey(state);
    const known = await Promise.all(
      spec.hosts.map(async (host) => ({
        host,
        key: await prepareDisk(places, name, host, images.get(host.name) ?? '', publicKey),
      })),
    );
    await Promise.all(spec.hosts.map((host) => boot(places, name, host)));
    await grantAccess(state, known);
    await Promise.all(spec.hosts.map((host) => awaitSsh(places, tree, name, host)));
  });
};

/** By host: the image that it starts from. One after the other: making one keeps the machine busy. */
const imagesOf = async (lab: LabAt, spec: LabSpec, say: Progress): Promise<ReadonlyMap<string, string>> => {
  const images = new Map<string, string>();
  for (const host of spec.hosts) images.set(host.name, await platformOf(host).image(lab, host, say));
  return images;
};

/** The lab was complete before: its disks count. After a reboot of this machine its network is gone. */
const resume = async (
  places: Places,
  found: LabRecord,
  wanted: LabRecord,
  options: LabUpOptions,
): Promise<LabRecord> => {
  const { name } = found;
  if (found.state !== wanted.state || !isDeepStrictEqual(found.spec, wanted.spec)) throw anotherStands(found, wanted);
  const tree = await hierarchies();
  return finishing(places, { ...wanted, since: found.since }, async () => {
    await overrideSysctls(places, options.onProgress);
    if (!(await exists(namespaceFile(switchNamespace(name))))) {
      await requireFreeNetworks(places, found);
      await killGroup(tree, labGroup(name)); // a host without its switch is on no network
      await removeNetwork(name);
      const again = [switchUp(name, found.spec), delayAgain(places, name, found.spec.router)].join('\n');
      await shell('making the network', enter(tree, `${labGroup(name)}/up`) + again);
    }
    for (const host of found.spec.hosts) {
      if ((await processesIn(tree, hostGroup(name, host.name))).length > 0) continue;
      options.onProgress(`starting ${host.name}`);
      await boot(places, name, host);
    }
    await Promise.all(found.spec.hosts.map((host) => awaitSsh(places, tree, name, host)));
  });
};

/** Records that `up` is running, and at the end that it is done; after a failure the lab is recorded as incomplete. */
const finishing = async (places: Places, record: LabRecord, work: () => Promise<void>): Promise<LabRecord> => {
  const { up, ...done } = record;
  await writeRecord(places, { ...done, ...defined({ up }), complete: false });
  try {
    await work();
    await writeRecord(places, { ...done, complete: true });
  } catch (error) {
    await writeRecord(places, { ...done, complete: false });
    throw error;
  }
  return { ...done, complete: true };
};

const anotherStands = (found: LabRecord, wanted: LabRecord): Failure =>
  new Failure('usage', `a lab named ${found.name} stands already`, {
    why: [
      found.state === wanted.state
        ? 'its hosts or segments are not those of the inventory'
        : `it belongs to ${found.state}`,
    ],
    next: `kbs lab down ${found.name}`,
  });

/** A lab of hosts over the local transport would turn this machine into a node. */
const requireSshHosts = (cluster: Cluster): void => {
  const local = cluster.hosts.filter((host) => host.ssh.transport === 'local').map((host) => host.name);
  if (local.length === 0) return;
  throw new Failure('usage', `a lab's hosts are reached over SSH, and ${local.join(', ')} is this machine itself`, {
    next: 'give it an SSH transport in the inventory',
  });
};
