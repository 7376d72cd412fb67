import { copyFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sh } from '../hosts/shell.js';
import { sha256 } from '../secret.js';
import { makeFile, makeFolder } from './files.js';
import { shell } from './shell.js';

/**
 * Gives the disk of a lab host what makes it look as if it had two NVIDIA GPUs and their driver: a stand-in for the
 * driver's library, compiled here, and a unit that lays PCI devices, device nodes and files of /proc over the real
 * ones. `/etc/lab-gpu` on the host describes the GPUs and plants faults: see docs/lab.md.
 */
export const plantGpus = async (root: string, host: string): Promise<void> => {
  for (const folder of folders) await makeFolder(join(root, folder));
  const store = join(root, 'usr/lib/lab-gpu');
  await shell(
    'compiling the stand-in for the NVIDIA driver',
    sh`cd ${sources}
gcc -std=gnu99 -O2 -Wall -fPIC -shared -Wl,-soname,libnvidia-ml.so.1 -o ${join(store, 'libnvidia-ml.so')} nvml.c
gcc -shared -Wl,-soname,libcuda.so.1 -o ${join(store, 'libcuda.so')} -x c /dev/null
gcc -std=gnu99 -O2 -Wall -o ${join(store, 'nvidia-smi')} nvidia-smi.c`,
  );
  await copyFile(join(sources, 'machine.sh'), join(store, 'machine.sh'));
  await makeFile(join(root, 'etc/lab-gpu'), describeGpus(host));
  await makeFile(join(root, units, 'lab-gpu.service'), unit);
  await symlink('../lab-gpu.service', join(root, units, 'sysinit.target.wants/lab-gpu.service'));
};

const units = 'etc/systemd/system';

/** Parents before children, each with the mode that it has in the image. */
const folders = ['usr', 'usr/lib', 'usr/lib/lab-gpu', 'etc', 'etc/systemd', units, `${units}/sysinit.target.wants`];

const sources = fileURLToPath(new URL('lab-gpu/', import.meta.url));

/** `gpu MINOR UUID PCI-ADDRESS PCI-ID MIB COMPUTE-CAPABILITY NAME`, a line per GPU; the UUIDs are the host's own. */
const describeGpus = (host: string): string =>
  ['0000:41:00.0', '0000:42:00.0']
    .map((address, minor) => `gpu ${minor} ${uuidOf(`${host} ${minor}`)} ${address} 25b6 15356 8.6 NVIDIA A2\n`)
    .join('');

const uuidOf = (text: string): string =>
  `GPU-${sha256(text).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, '$1-$2-$3-$4-$5')}`;

const unit = `[Unit]
Description=A stand-in for GPUs and their driver
DefaultDependencies=no
After=kbs-lab-mounts.service systemd-tmpfiles-setup-dev.service
Before=sysinit.target
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /usr/lib/lab-gpu/machine.sh

[Install]
WantedBy=sysinit.target
`;
