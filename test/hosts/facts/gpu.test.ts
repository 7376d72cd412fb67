import { execa } from 'execa';
import { expect, test } from 'vitest';
import { parseFacts } from '../../../src/hosts/facts/facts.js';
import { gpuFactsScript } from '../../../src/hosts/facts/gpu-script.js';
import { lacks } from '../../support/needs.js';

/** A machine's buses and driver, made of files over the real ones: no real driver must answer. */
const machine = (rest: string): string => `
mount -t tmpfs none /sys/bus/pci; mkdir /sys/bus/pci/devices
mount -t tmpfs none /sys/class/iommu
mount -t tmpfs none /proc/driver
mount -t tmpfs none /usr/local/bin
mount -t tmpfs none /dev/shm
pci() { # ADDRESS VENDOR DEVICE CLASS DRIVER
  mkdir "/sys/bus/pci/devices/$1"; cd "/sys/bus/pci/devices/$1"
  echo "0x$2" > vendor; echo "0x$3" > device; echo "0x$4" > class
  [ -z "\${5-}" ] || ln -s "../../drivers/$5" driver
  cd /
}
smi() { printf '#!/bin/sh\\n%s\\n' "$1" > /usr/local/bin/nvidia-smi; chmod +x /usr/local/bin/nvidia-smi; }
driver() { mkdir -p "/proc/driver/nvidia/gpus"; echo "$1" > /proc/driver/nvidia/version; }
${rest}
`;

const factsOf = async (rest: string) => {
  const input = `${machine(rest)}\nfact() { printf '%s %s\\n' "$1" "$2"; }\n${gpuFactsScript}`;
  const { stdout } = await execa('unshare', ['--mount', 'sh', '-eu'], { input });
  return parseFacts(stdout).gpu;
};

const open = 'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release Build  (dvs-builder@U16-I1)';
const closed = 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.161.08  Sat Feb 17 22:55:48 UTC 2024';

test.skipIf(lacks('root'))('GPUs are told from adapters of hypervisors and BMCs, with their drivers', async () => {
  const gpu = await factsOf(`
pci 0000:00:02.0 1234 1111 030000 bochs-drm
pci 0000:03:00.0 1a03 2000 030000 ast
pci 0000:07:00.0 10de 22a3 068000
pci 0000:08:00.0 1002 74a1 120000 amdgpu
pci 0000:09:00.0 1002 515e 030000 radeon
pci 0000:65:00.0 10de 2330 030200 nvidia
pci 0000:65:00.1 10de 22bc 040300 snd_hda_intel
pci 0000:66:00.0 10de 2330 030200 vfio-pci
pci 0000:67:00.0 10de 2330 030200
mkdir /sys/class/iommu/dmar0
driver '${open}'
mkdir /proc/driver/nvidia/gpus/0000:65:00.0
printf 'Model: \\t\\t NVIDIA H100 80GB HBM3\\n' > /proc/driver/nvidia/gpus/0000:65:00.0/information
smi 'exit 9'`);
  expect(gpu).toMatchObject({
    busRead: true,
    switches: 1,
    iommu: true,
    devices: [
      { address: '0000:08:00.0', vendor: 'amd', id: '74a1', driver: 'amdgpu' },
      { address: '0000:65:00.0', vendor: 'nvidia', id: '2330', driver: 'nvidia', model: 'NVIDIA H100 80GB HBM3' },
      { address: '0000:66:00.0', vendor: 'nvidia', id: '2330', driver: 'vfio-pci' },
      { address: '0000:67:00.0', vendor: 'nvidia', id: '2330', driver: '' },
    ],
    nvidia: { loaded: '570.124.06', silent: true },
  });
});

test.skipIf(lacks('root'))('the driver says memory, model and MIG of each GPU', async () => {
  const gpu = await factsOf(`
pci 0000:0a:00.0 10de 2330 030200 nvidia
pci 0000:0b:00.0 10de 1eb8 030200 nvidia
driver '${closed}'
smi 'echo "00000000:0A:00.0, 81559, Enabled, NVIDIA H100, SXM5"; echo "00000000:0B:00.0, 15360, [N/A], Tesla T4"'`);
  expect(gpu.nvidia).toMatchObject({ loaded: '535.161.08', silent: false });
  expect(gpu.devices).toEqual([
    {
      address: '0000:0a:00.0',
      vendor: 'nvidia',
      id: '2330',
      driver: 'nvidia',
      model: 'NVIDIA H100, SXM5',
      memory: 81559,
      mig: true,
    },
    { address: '0000:0b:00.0', vendor: 'nvidia', id: '1eb8', driver: 'nvidia', model: 'Tesla T4', memory: 15360 },
  ]);
});

test.skipIf(lacks('root'))('a machine without GPUs is asked nothing more', async () => {
  expect(await factsOf('')).toEqual({ busRead: true, devices: [], switches: 0, iommu: false, nodes: [] });
});

test.skipIf(lacks('root'))('a bus that is not there is not an empty one', async () => {
  expect((await factsOf('rmdir /sys/bus/pci/devices')).busRead).toBe(false);
});

test.each([
  ['of a boot in BIOS mode', 'off', 'off'],
  ['that is on', 'on', 'on'],
  ['whose variable cannot be read', 'unknown', 'unknown'],
  ['of which nothing sensible is said', 'perhaps', 'unknown'],
])('Secure Boot %s is read as %s', (_name, said, expected) => {
  expect(parseFacts(`nvidiasecureboot ${said}\nnvidialoaded \nnvidiapackages \n`).gpu.nvidia).toEqual({
    signed: false,
    nouveau: false,
    secureBoot: expected,
    headers: false,
    silent: false,
    packages: [],
  });
});

test('what stands in the way of a driver is read', () => {
  const said = `nvidialoaded \nnvidiamodule 570.124.06\nnvidiasigner DKMS module signing key\nnvidialibrary 570.133.20
nouveau loaded\nnvidiasecureboot on\nkernelheaders yes\nfabricmanager not-found inactive
nvidiapackages nvidia-kernel-dkms nvidia-smi`;
  expect(parseFacts(said).gpu.nvidia).toEqual({
    module: '570.124.06',
    signed: true,
    library: '570.133.20',
    nouveau: true,
    secureBoot: 'on',
    headers: true,
    silent: false,
    fabricManager: { load: 'not-found', active: 'inactive' },
    packages: ['nvidia-kernel-dkms', 'nvidia-smi'],
  });
});
