import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { Failure } from '../failure.js';
import { quote } from '../hosts/shell.js';
import { exists } from './files.js';
import type { Progress } from './lab.js';
import type { Commands } from './platform.js';
import { platformOf } from './platforms.js';
import { shell } from './shell.js';
import type { LabSpec } from './spec.js';

/** Makes sure that this machine can run such a lab; installs Debian packages only with `install`. */
export const requireLab = async (
  spec: LabSpec,
  install: boolean,
  say: Progress,
  folders = commandFolders(),
): Promise<void> => {
  const commands = Object.assign(
    {},
    ofEveryLab,
    ...spec.hosts.map((host) => ({ ...platformOf(host).commands(host), ...(host.gpu === undefined ? {} : ofGpus) })),
  );
  const lacks = await lacking(commands, folders);
  if (lacks.length === 0) return;
  const packages = [...new Set(lacks.flatMap((need) => (need.package === undefined ? [] : [need.package])))];
  const installable =
    packages.length > 0 && lacks.every((need) => need.package !== undefined) && (await exists('/usr/bin/apt-get'));
  if (!install || !installable) throw refusal(lacks, packages, installable);
  say(`installing ${packages.join(' ')}`);
  await shell(
    'apt-get',
    `export DEBIAN_FRONTEND=noninteractive
apt-get update -q >&2
apt-get install -q -y --no-install-recommends ${packages.map(quote).join(' ')} >&2`,
  );
  const still = await lacking(commands, folders);
  if (still.length > 0) throw refusal(still, [], false);
};

interface Requirement {
  /** What is missing, as a phrase. */
  readonly what: string;
  /** The Debian package that brings it. */
  readonly package?: string;
}

const refusal = (lacks: readonly Requirement[], packages: readonly string[], installable: boolean): Failure =>
  new Failure('preflight', 'this machine cannot run a lab', {
    why: lacks.map((need) => (need.package === undefined ? need.what : `${need.what} (package ${need.package})`)),
    next: installable
      ? `run it again with --install, or: apt-get install ${packages.join(' ')}`
      : 'a lab needs Linux, root, overlayfs, control groups and the commands above',
  });

const lacking = async (commands: Commands, folders: readonly string[]): Promise<readonly Requirement[]> => {
  if (process.platform !== 'linux') return [{ what: `Linux: this is ${process.platform}` }];
  const needs: Requirement[] = [];
  if (process.getuid?.() !== 0) needs.push({ what: 'root: run it with sudo' });
  if (!(await readFile('/proc/filesystems', 'utf8')).includes('\toverlay\n'))
    needs.push({ what: 'overlayfs in this kernel' });
  if (!(await readFile('/proc/self/mounts', 'utf8')).includes(' cgroup'))
    needs.push({ what: 'control groups, mounted' });
  for (const [command, name] of Object.entries(commands)) {
    if (!(await isIn(folders, command))) needs.push({ what: `the command ${command}`, package: name });
  }
  if (!(await exists(keyring))) needs.push({ what: keyring, package: 'debian-archive-keyring' });
  return needs;
};

/** What the root image's packages are checked with. */
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** The commands of a lab and the Debian packages that bring them. */
const ofEveryLab: Commands = {
  debootstrap: 'debootstrap',
  ip: 'iproute2',
  nft: 'nftables',
  sysctl: 'procps',
  'ssh-keygen': 'openssh-client',
  mount: 'mount',
  setsid: 'util-linux',
};

/** What compiles the stand-in for their driver, with the C library. */
const ofGpus: Commands = { gcc: 'build-essential' };

/** The shell's own, and those that an ordinary user's PATH lacks. */
const commandFolders = (): readonly string[] => [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];

const isIn = async (folders: readonly string[], command: string): Promise<boolean> => {
  for (const folder of folders) if (await exists(join(folder, command))) return true;
  return false;
};
