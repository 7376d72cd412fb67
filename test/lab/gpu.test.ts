import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { plantGpus } from '../../src/lab/gpu.js';
import { lacks } from '../support/needs.js';

const query = '--query-gpu=index,pci.bus_id,memory.total,mig.mode.current,name --format=csv,noheader,nounits';
const two = `0, 00000000:41:00.0, 15356, Disabled, NVIDIA A2
1, 00000000:42:00.0, 15356, Disabled, NVIDIA A2`;

describe.skipIf(lacks('root', 'gcc', 'libc6-dev'))('the stand-in for GPUs and their driver', () => {
  let disk: string;
  beforeAll(async () => {
    disk = await mkdtemp(join(tmpdir(), 'kbs-gpu-'));
    await plantGpus(disk, 'worker-gpu-00');
  });
  afterAll(() => rm(disk, { recursive: true }));

  /** Asks nvidia-smi where these device nodes are, and the description says this besides the GPUs. */
  const ask = async (question: string, nodes: string, faults = '') => {
    const script = `set -eu
mount -t tmpfs tmpfs /dev
for node in ${nodes}; do mknod /dev/$node c 1 3; done
mount -t tmpfs tmpfs /mnt
cp ${disk}/usr/lib/lab-gpu/libnvidia-ml.so /mnt/libnvidia-ml.so.580.95.05
ln -s libnvidia-ml.so.580.95.05 /mnt/libnvidia-ml.so.1
{ cat ${disk}/etc/lab-gpu; echo '${faults}'; } > /mnt/nvidia-lab-gpu.so.580.95.05
LD_LIBRARY_PATH=/mnt exec ${disk}/usr/lib/lab-gpu/nvidia-smi ${question}`;
    const { exitCode, stdout, stderr } = await execa('unshare', ['--mount', 'sh', '-c', script], { reject: false });
    return [exitCode, `${stdout}${stderr}`];
  };

  const all = 'nvidiactl nvidia0 nvidia1';
  test.each<readonly [string, string, string, number, string]>([
    ['has two GPUs', all, '', 0, two],
    [
      'shows a container the GPU whose device node it has',
      'nvidiactl nvidia1',
      '',
      0,
      `0${two.slice(two.indexOf('\n') + 2)}`,
    ],
    ['finds no GPU where there is none', 'nvidiactl', '', 6, 'No devices were found'],
    ['needs the driver in the kernel', 'null', '', 9, "NVIDIA-SMI has failed because it couldn't communicate"],
    ['tells another version in the kernel', all, 'fault mismatch', 18, 'Driver/library version mismatch'],
    ['loses a GPU', all, 'fault lost 1', 15, 'Unable to determine the device handle for GPU1: GPU is lost.'],
    ['partitions a GPU', all, 'fault mig 0', 0, two.replace('Disabled', 'Enabled')],
  ])('%s', async (_, nodes, faults, status, says) => {
    expect(await ask(query, nodes, faults)).toEqual([status, expect.stringContaining(says)]);
  });

  test('has UUIDs that are a host’s own, and the same each time', async () => {
    const [, listed] = await ask('-L', all);
    const described = await readFile(join(disk, 'etc/lab-gpu'), 'utf8');
    const uuids = [...described.matchAll(/GPU-[0-9a-f-]{36}/g)].map(([uuid]) => uuid);
    expect(new Set(uuids).size).toBe(2);
    for (const uuid of uuids) expect(listed).toContain(`NVIDIA A2 (UUID: ${uuid})`);
  });
});
