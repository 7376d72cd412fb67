import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readIfThere } from './files.js';
import type { Progress } from './lab.js';
import type { Places } from './paths.js';

/**
 * Settings of this machine's one kernel that all lab hosts share. The first lab saves their values, raises one, and gives
 * those that kubelets need the values that these want: else a host that leaves would restore them for all others. The last
 * lab restores them, whatever the hosts' systemd and kubelets wrote in between.
 */
export const overrideSysctls = async (places: Places, say: Progress, root = '/proc/sys'): Promise<void> => {
  await mkdir(dirname(savedValues(places)), { recursive: true });
  const before = Object.fromEntries(await Promise.all(shared.map(async (name) => [name, await read(root, name)])));
  // `wx`: a second lab must not save what the first one set.
  await writeFile(savedValues(places), JSON.stringify(before), { flag: 'wx' }).catch(ignoreExisting);
  for (const [name, value] of Object.entries(ofKubelets)) {
    if ((before[name] ?? value) !== value) await write(root, name, value);
  }
  const instances = 'fs/inotify/max_user_instances';
  const value = Number(await read(root, instances));
  if (value >= enoughInstances) return;
  await write(root, instances, String(enoughInstances));
  say(`fs.inotify.max_user_instances of this machine: ${value} -> ${enoughInstances}, restored by the last lab down`);
};

export const restoreSysctls = async (places: Places, root = '/proc/sys'): Promise<void> => {
  const text = await readIfThere(savedValues(places));
  if (text === undefined) return;
  for (const [name, value] of Object.entries(JSON.parse(text) as Record<string, string | undefined>)) {
    if (value !== undefined && (await read(root, name)) !== value) await write(root, name, value);
  }
  await rm(savedValues(places));
};

const savedValues = (places: Places): string => join(places.home, 'sysctls-before.json');

/** Past about five kubelets the usual 128 are used up, and the next exits with "inotify_init: too many open files". */
const enoughInstances = 1024;

const ofKubelets = {
  'kernel/keys/root_maxbytes': '25000000',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
};

/** What Debian's sysctl.d, the kubelet and Kubernetes' preflight write outside of a network namespace. */
const shared = [
  'fs/file-max',
  'fs/inotify/max_queued_events',
  'fs/inotify/max_user_instances',
  'fs/inotify/max_user_watches',
  'fs/nr_open',
  'fs/protected_fifos',
  'fs/protected_hardlinks',
  'fs/protected_regular',
  'fs/protected_symlinks',
  'kernel/core_pattern',
  'kernel/keys/root_maxbytes',
  'kernel/keys/root_maxkeys',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/pid_max',
  'kernel/sysrq',
  'vm/max_map_count',
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'vm/swappiness',
];

const read = (root: string, name: string): Promise<string | undefined> =>
  readFile(join(root, name), 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );

const write = (root: string, name: string, value: string): Promise<void> => writeFile(join(root, name), value);

const ignoreExisting = (error: unknown): void => {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
};
