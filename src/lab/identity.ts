import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sh } from '../hosts/shell.js';
import { giveTo, makeFile, makeFolder } from './files.js';
import { shell } from './shell.js';
import { type HostSpec, hostAddresses } from './spec.js';
import { type Account, accountsOf } from './users.js';

/**
 * Writes what differs from host to host into a root: names, users, keys. Mode and owner of each folder are as in the
 * image, a folder with its `etc/passwd` and the like. Gives the host's public key, as in a known_hosts file.
 */
export const identify = async (root: string, image: string, host: HostSpec, operatorKey: string): Promise<string> => {
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
  return hostKey(root, host);
};

const admit = async (root: string, account: Account, operatorKey: string): Promise<void> => {
  const home = join(root, account.home);
  await makeFolder(home, 0o700);
  await makeFolder(join(home, '.ssh'), 0o700);
  await makeFile(join(home, '.ssh/authorized_keys'), `${operatorKey}\n`, 0o600);
  await giveTo(account, home, join(home, '.ssh'), join(home, '.ssh/authorized_keys'));
};

const hostKey = async (root: string, host: HostSpec): Promise<string> => {
  const file = join(root, 'etc/ssh/ssh_host_ed25519_key');
  await shell(`making the key of ${host.name}`, sh`ssh-keygen -q -t ed25519 -N '' -C ${host.name} -f ${file}`);
  const [type = '', key = ''] = (await readFile(`${file}.pub`, 'utf8')).split(' ');
  return `${type} ${key}`;
};

/** The same number on every Debian (base-passwd). */
const shadowGroup = 42;

/** The text of a host's /etc/hosts. */
export const hostsFile = (host: HostSpec): string =>
  `${['127.0.0.1 localhost', '::1 localhost ip6-localhost ip6-loopback', ...hostAddresses(host).map(own(host))].join(
    '\n',
  )}\n`;

const own = (host: HostSpec) => (address: string) => `${address} ${host.name}`;
