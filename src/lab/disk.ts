import { randomBytes } from 'node:crypto';
import { readFile, rm, statfs, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.js';
import { sh } from '../hosts/shell.js';
import { customizeRootfs } from './customize-rootfs.js';
import { giveTo, makeFile, makeFolder } from './files.js';
import { plantGpus } from './gpu.js';
import { machineScript } from './machine.js';
import { hostFolder, type Places } from './paths.js';
import { shell } from './shell.js';
import type { HostSpec } from './spec.js';
import { hostAddresses } from './spec.js';
import { type Account, accountsOf } from './users.js';

/**
 * Makes the folder of a host that was never booted: an overlay on the root image with what makes it this host, and
 * /var as a plain copy on the real disk, so that the host may make and remove /var/lib/anything as a real one may.
 * Gives the host's public key, as in a known_hosts file.
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
  for (const part of ['', 'upper', 'work', 'root']) await makeFolder(join(folder, part));
  await symlink(image, join(folder, 'image'));
  await makeFile(join(folder, 'machine.sh'), machineScript(places, lab, host), 0o755);
  await customizeRootfs(join(folder, 'upper'));
  if (host.gpu !== undefined) await plantGpus(join(folder, 'upper'), `${lab}/${host.name}`);
  await identify(join(folder, 'upper'), image, host, operatorKey);
  return hostKey(folder, host);
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

/** Names, users and keys: what differs from host to host. Mode and owner of each folder are as in the image. */
const identify = async (root: string, image: string, host: HostSpec, operatorKey: string): Promise<void> => {
  const accounts = await accountsOf(image, host.user);
  const folders = { etc: 0o755, 'etc/ssh': 0o755, 'etc/ssh/sshd_config.d': 0o755, 'etc/sudoers.d': 0o755, home: 0o755 };
  for (const [path, mode] of Object.entries(folders)) await makeFolder(join(root, path), mode);
  const files = {
    'etc/hostname': `${host.name}\n`,
    'etc/hosts': hostsFile(host),
    'etc/machine-id': `${randomBytes(16).toString('hex')}\n`,
    'etc/passwd': accounts.passwd,
    'etc/group': accounts.group,
    'etc/ssh/sshd_config.d/kbs-lab.conf': [...new Set([22, host.sshPort])].map((port) => `Port ${port}\n`).join(''),
  };
  for (const [path, content] of Object.entries(files)) await makeFile(join(root, path), content);
  await makeFile(join(root, 'etc/shadow'), accounts.shadow, 0o640);
  await giveTo({ uid: 0, gid: shadowGroup }, join(root, 'etc/shadow'));
  await makeFile(join(root, 'etc/sudoers.d/kbs-lab'), accounts.sudoers, 0o440);
  for (const account of accounts.all) await admit(root, account, operatorKey);
};

const admit = async (root: string, account: Account, operatorKey: string): Promise<void> => {
  const home = join(root, account.home);
  await makeFolder(home, 0o700);
  await makeFolder(join(home, '.ssh'), 0o700);
  await makeFile(join(home, '.ssh/authorized_keys'), `${operatorKey}\n`, 0o600);
  await giveTo(account, home, join(home, '.ssh'), join(home, '.ssh/authorized_keys'));
};

const hostKey = async (folder: string, host: HostSpec): Promise<string> => {
  const file = 'upper/etc/ssh/ssh_host_ed25519_key';
  await shell(
    `making the disk of ${host.name}`,
    sh`cd ${folder}
cp -a image/var var
ssh-keygen -q -t ed25519 -N '' -C ${host.name} -f ${file}`,
  );
  const [type = '', key = ''] = (await readFile(join(folder, `${file}.pub`), 'utf8')).split(' ');
  return `${type} ${key}`;
};

/** The same number on every Debian (base-passwd). */
const shadowGroup = 42;

const hostsFile = (host: HostSpec): string =>
  `${['127.0.0.1 localhost', '::1 localhost ip6-localhost ip6-loopback', ...hostAddresses(host).map(own(host))].join(
    '\n',
  )}\n`;

const own = (host: HostSpec) => (address: string) => `${address} ${host.name}`;
