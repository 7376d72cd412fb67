import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { Failure } from '../failure.js';
import { freeze, frozen, type Hierarchies, hierarchies, killGroup, processesIn, thaw } from './cgroups.js';
import { type FoundHost, findHosts } from './find.js';
import { consoleOf } from './lab.js';
import { cables, plugs } from './network.js';
import { hostFolder, hostGroup, type Places, placesOf } from './paths.js';
import { isOff } from './platform.js';
import { platformOf } from './platforms.js';
import { shell } from './shell.js';
import type { HostSpec } from './spec.js';
import { awaitSsh } from './wait-for-ssh.js';

/**
 * Power and cables of hosts. They are named by the host's name, by `LAB/HOST` where two labs have one of that name, or
 * by `all` (of the only lab) and `LAB/all`.
 */

/**
 * Reboots hosts and waits for their SSH. `orderly` asks their systemd, `power-cut` kills all at once.
 * Either way the kernel's state is new: routes, nftables and sysctls that nothing on the disk restores are gone.
 */
export const labReboot = async (
  hosts: string,
  how: 'orderly' | 'power-cut' = 'orderly',
  places: Places = placesOf(),
): Promise<void> => {
  const tree = await hierarchies();
  await Promise.all(
    (await findHosts(places, hosts)).map((found) =>
      how === 'orderly' ? restart(places, tree, found) : powerCycle(places, tree, found),
    ),
  );
};

/** Cuts the power: the host's carrier goes, all its processes die at once, its disks stay as they are. */
export const labKill = async (hosts: string, places: Places = placesOf()): Promise<void> => {
  const tree = await hierarchies();
  await Promise.all((await findHosts(places, hosts)).map((found) => pullPlug(tree, found)));
};

/** Starts hosts that are off and waits for their SSH; those that run are left alone. */
export const labStart = async (hosts: string, places: Places = placesOf()): Promise<void> => {
  const tree = await hierarchies();
  await Promise.all(
    (await findHosts(places, hosts)).map(async ({ lab, host }) => {
      await requireAwake(tree, lab, host);
      if ((await processesIn(tree, hostGroup(lab, host.name))).length === 0) await boot(places, lab, host);
      await awaitSsh(places, tree, lab, host);
    }),
  );
};

/** Makes hosts hang: they answer nothing, not even ARP, until `labThaw`. Refused for a host that is off. */
export const labFreeze = async (hosts: string, places: Places = placesOf()): Promise<void> => {
  const tree = await hierarchies();
  await Promise.all(
    (await findHosts(places, hosts)).map(async ({ lab, host }) => {
      const group = hostGroup(lab, host.name);
      if ((await processesIn(tree, group)).length === 0) throw isOff(host);
      await freeze(tree, group);
      await shell(`silencing ${host.name}`, plugs(lab, host, 'off'));
    }),
  );
};

/** Resumes hosts that were frozen; others are left alone. */
export const labThaw = async (hosts: string, places: Places = placesOf()): Promise<void> => {
  const tree = await hierarchies();
  await Promise.all(
    (await findHosts(places, hosts)).map(async ({ lab, host }) => {
      const group = hostGroup(lab, host.name);
      if (!(await frozen(tree, group))) return;
      await shell(`plugging in ${host.name}`, plugs(lab, host, 'on'));
      await thaw(tree, group);
    }),
  );
};

/** Pulls all of a host's network cables, until `labReconnect`. */
export const labCut = async (hosts: string, places: Places = placesOf()): Promise<void> => {
  for (const { lab, host } of await findHosts(places, hosts))
    await shell(`disconnecting ${host.name}`, cables(lab, host, 'down'));
};

export const labReconnect = async (hosts: string, places: Places = placesOf()): Promise<void> => {
  for (const { lab, host } of await findHosts(places, hosts))
    await shell(`reconnecting ${host.name}`, cables(lab, host, 'up'));
};

/** Starts a host's machine as a process of its own that outlives this one; its console goes to a file. */
export const boot = async (places: Places, lab: string, host: HostSpec): Promise<void> => {
  const log = await open(consoleOf(places, lab, host.name), 'a');
  const child = spawn('sh', ['machine.sh'], {
    cwd: hostFolder(places, lab, host.name),
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: { PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
  await once(child, 'spawn');
  child.unref();
  await log.close();
};

const powerCycle = async (places: Places, tree: Hierarchies, found: FoundHost): Promise<void> => {
  const { lab, host } = found;
  await pullPlug(tree, found);
  await boot(places, lab, host);
  await awaitSsh(places, tree, lab, host);
};

/** Carrier first: its kernel goes on, here, and would reset the connections of every peer. */
const pullPlug = async (tree: Hierarchies, { lab, host }: FoundHost): Promise<void> => {
  const group = hostGroup(lab, host.name);
  if ((await processesIn(tree, group)).length === 0) return;
  // A host that is just being started may have no cables yet.
  await shell(`unplugging ${host.name}`, cables(lab, host, 'down')).catch(() => undefined);
  await killGroup(tree, group);
};

const restart = async (places: Places, tree: Hierarchies, { lab, state, host }: FoundHost): Promise<void> => {
  await requireAwake(tree, lab, host);
  if ((await processesIn(tree, hostGroup(lab, host.name))).length === 0) throw isOff(host);
  await platformOf(host).reboot({ places, name: lab, tree }, state, host);
  await awaitSsh(places, tree, lab, host);
};

/** A host that hangs would be waited for until the timeout. */
const requireAwake = async (tree: Hierarchies, lab: string, { name }: HostSpec): Promise<void> => {
  if (!(await frozen(tree, hostGroup(lab, name)))) return;
  throw new Failure('refused', 'the host is paused', { where: { host: name }, next: `kbs lab resume ${name}` });
};
