import { join } from 'node:path';
import { sh } from '../../hosts/shell.js';
import { foldersOf } from '../customize-rootfs.js';
import { makeFile, makeFolder } from '../files.js';
import { hostsFile, identify } from '../identity.js';
import { shell } from '../shell.js';
import type { HostSpec } from '../spec.js';
import { linkFiles, type NetworkDaemon } from './links.js';

/**
 * The two disks of a guest: what it changes, on top of its image, and an archive with what makes it this host, which its
 * first process unpacks at its first boot. The machine id comes last: its presence says that all the rest is there.
 */
export const makeGuestDisk = async (
  folder: string,
  host: HostSpec,
  operatorKey: string,
  daemon: NetworkDaemon,
): Promise<string> => {
  const root = join(folder, 'identity');
  await makeFolder(root);
  const key = await identify(root, join(folder, 'image'), host, operatorKey);
  const files = [
    { path: 'etc/cloud/templates/hosts.debian.tmpl', content: hostsFile(host) },
    ...linkFiles(host, daemon),
  ];
  for (const folder of foldersOf(files.map(({ path }) => path))) await makeFolder(join(root, folder));
  for (const { path, content, mode } of files) await makeFile(join(root, path), content, mode);
  await shell(
    `making the disks of ${host.name}`,
    sh`cd ${folder}
tar -cf identity.tar --numeric-owner --exclude=./etc/machine-id -C identity .
tar -rf identity.tar --numeric-owner -C identity ./etc/machine-id
rm -rf identity
qemu-img create -q -f qcow2 -F raw -b "$(readlink -f image)/disk.raw" disk.qcow2`,
  );
  return key;
};
