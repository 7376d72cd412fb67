import { readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../failure.js';
import { isMissing } from './files.js';

/**
 * The control groups of this machine. A lab's processes are found by their group and by nothing else: a process may
 * leave its parent, its session and its namespaces, but not its group.
 */
export interface Hierarchies {
  /** Where each hierarchy is mounted: one with cgroup v2, one per controller with v1, both kinds with hybrid. */
  readonly all: readonly string[];
  /** The one that is asked which processes there are. */
  readonly tracking: string;
}

export const hierarchies = async (): Promise<Hierarchies> => {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' '));
  const of = (type: string) => mounts.filter((mount) => mount[2] === type);
  const [v1, v2] = [of('cgroup'), of('cgroup2')];
  const tracking = v2[0] ?? v1.find(([, , , options = '']) => options.includes('name=systemd')) ?? v1[0];
  if (tracking?.[1] === undefined) throw new Failure('preflight', 'this machine has no control groups mounted');
  return { all: [...v1, ...v2].flatMap(([, folder]) => (folder === undefined ? [] : [folder])), tracking: tracking[1] };
};

/** The shell text that puts the rest of a script into a group of the tracking hierarchy. */
export const enter = (tree: Hierarchies, group: string): string => {
  const folder = join(tree.tracking, group);
  return `mkdir -p ${folder} && echo 0 > ${folder}/cgroup.procs\n`;
};

/** Every process in a group and in the groups below it, as pids. */
export const processesIn = async (tree: Hierarchies, group: string): Promise<readonly number[]> => {
  const found = await Promise.all((await groupsBelow(join(tree.tracking, group))).map(pidsOf));
  return found.flat();
};

/** Kills a group and all below it, frozen or not, and comes back when no process is left; fails after 30 s. */
export const killGroup = async (tree: Hierarchies, group: string): Promise<void> => {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const pids = await processesIn(tree, group);
    if (pids.length === 0) return;
    if (Date.now() > deadline) {
      throw new Failure('refused', `processes of ${group} still run 30 s after they were killed`, {
        why: [`pids ${pids.join(', ')}`],
      });
    }
    await writeFile(join(tree.tracking, group, 'cgroup.kill'), '1').catch(() => undefined); // absent with v1 only
    for (const pid of pids) kill(pid);
    await thaw(tree, group);
    await sleep(20);
  }
};

/** Stops every process of a group where it stands, as a machine that hangs. */
export const freeze = async (tree: Hierarchies, group: string): Promise<void> => {
  await writeFile(join(tree.tracking, group, 'cgroup.freeze'), '1').catch((error: unknown) => {
    throw new Failure('refused', `${group} cannot be frozen`, {
      cause: error,
      why: ['it takes a cgroup2 hierarchy and a host that runs'],
    });
  });
};

export const thaw = async (tree: Hierarchies, group: string): Promise<void> => {
  await writeFile(join(tree.tracking, group, 'cgroup.freeze'), '0').catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
};

export const frozen = async (tree: Hierarchies, group: string): Promise<boolean> =>
  (await readFile(join(tree.tracking, group, 'cgroup.freeze'), 'utf8').catch(() => '0')).trim() === '1';

/** Removes a group from every hierarchy; its processes must be gone. */
export const removeGroup = async (tree: Hierarchies, group: string): Promise<void> => {
  for (const top of tree.all) {
    const folders = await groupsBelow(join(top, group));
    for (const folder of folders.toReversed()) await removeEmpty(folder);
  }
};

/** Bytes that a group holds, where the memory controller is mounted. */
export const memoryOf = async (tree: Hierarchies, group: string): Promise<number | undefined> => {
  for (const top of tree.all) {
    for (const file of ['memory.usage_in_bytes', 'memory.current']) {
      const text = await readFile(join(top, group, file), 'utf8').catch(() => undefined);
      if (text !== undefined) return Number(text);
    }
  }
  return undefined;
};

/** A group and all below it, parents before children; none where it does not exist. */
const groupsBelow = async (folder: string): Promise<readonly string[]> => {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return [];
  const below = await Promise.all(
    entries.filter((entry) => entry.isDirectory()).map((entry) => groupsBelow(join(folder, entry.name))),
  );
  return [folder, ...below.flat()];
};

const pidsOf = async (folder: string): Promise<readonly number[]> => {
  const text = await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '');
  return text.split('\n').filter(Boolean).map(Number);
};

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone by itself
  }
};

/** A group whose last process has just died can be busy for some milliseconds. */
const removeEmpty = async (folder: string): Promise<void> => {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await rmdir(folder);
      return;
    } catch (error) {
      if (isMissing(error)) return;
      if (attempt === 100) throw error;
      await sleep(20);
    }
  }
};
