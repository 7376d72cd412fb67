import { join } from 'node:path';
import { sh } from '../../hosts/shell.js';
import { makeFile, makeFolder } from '../files.js';
import { hostsFile, identify } from '../identity.js';
import { shell } from '../shell.js';
import type { HostSpec } from '../spec.js';

/**
 * The two disks of a guest: what it changes, on top of its image, and an archive with what makes it this host, which its
 * first process unpacks at its first boot. The machine id comes last: its presence says that all the rest is there.
 */
export const makeGuestDisk = async (folder: string, host: HostSpec, operatorKey: string): Promise<string> => {
  const root = join(folder, 'identity');
  await makeFolder(root);
  const key = await identify(root, join(folder, 'image'), host, operatorKey);
  for (const path of ['etc/kbs-lab', 'etc/cloud', 'etc/cloud/templates']) await makeFolder(join(root, path));
  await makeFile(join(root, 'etc/cloud/templates/hosts.debian.tmpl'), hostsFile(host));
  await makeFile(join(root, 'etc/kbs-lab/network'), network(host));
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

/** Shell: the addresses that the inventory gives to the links, and the way to the other segments. */
const network = (host: HostSpec): string =>
  [
    'ip link set lo up',
    ...host.cables.flatMap(({ link, address }) => [
      `ip address replace ${address} dev ${link}`,
      `ip link set ${link} up`,
    ]),
    ...(host.gateway === undefined ? [] : [`ip route replace default via ${host.gateway}`]),
    '',
  ].join('\n');
