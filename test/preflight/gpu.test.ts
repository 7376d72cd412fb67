import { describe, expect, test } from 'vitest';
import {
  assumedFacts,
  type Facts,
  type GpuDevice,
  type GpuFacts,
  type NvidiaFacts,
} from '../../src/hosts/facts/facts.js';
import type { ClusterHost } from '../../src/inventory/cluster.js';
import type { ClusterFacts } from '../../src/preflight/check.js';
import { gpuAdvice } from '../../src/preflight/gpu-advice.js';
import { failuresOf, runChecks } from '../../src/preflight/run-checks.js';
import { clusterOf, hostOf } from '../support/cluster.js';
import { gpuHost, nvidiaDriver } from '../support/gpus.js';

const device = (address: string, rest: Partial<GpuDevice> = {}): GpuDevice => ({
  address,
  vendor: 'nvidia',
  id: '2330',
  driver: 'nvidia',
  model: 'NVIDIA H100 80GB HBM3',
  memory: 81559,
  mig: false,
  ...rest,
});

const nvidia: NvidiaFacts = { ...nvidiaDriver, module: '570.124.06' };

/** Two GPUs with their driver, and nothing in the way. */
const fit: GpuFacts = {
  busRead: true,
  devices: [device('0000:65:00.0'), device('0000:66:00.0')],
  switches: 0,
  iommu: true,
  nodes: ['/dev/nvidia0', '/dev/nvidia1', '/dev/nvidiactl', '/dev/nvidia-uvm'],
  nvidia,
};

const { loaded: _, module: __, library: ___, ...nothingInstalled } = nvidia;
const bare = fit.devices.map(({ model: _model, memory: _memory, mig: _mig, ...rest }) => ({ ...rest, driver: '' }));

interface Machine {
  readonly gpu?: Partial<GpuFacts>;
  readonly nvidia?: NvidiaFacts;
  readonly host?: Partial<ClusterHost>;
  readonly facts?: Partial<Facts>;
}

const factsOf = ({ gpu = {}, nvidia: own = nvidia, facts = {} }: Machine): Facts => ({
  ...assumedFacts,
  os: 'Debian GNU/Linux 12 (bookworm)',
  kernel: '6.1.0-28-amd64',
  gpu: { ...fit, nvidia: own, ...gpu },
  ...facts,
});

const results = (machine: Machine) => {
  const host = gpuHost(machine.host);
  const facts: ClusterFacts = {
    workflow: 'apply',
    cluster: clusterOf({ hosts: [host] }),
    facts: new Map([[host.name, factsOf(machine)]]),
    keyring: { ca: 'a', missing: [] },
    bundle: ['amd64'],
    from: 0,
    to: 0,
    restores: false,
  };
  return runChecks(facts).filter(({ name }) => name.startsWith('gpu-'));
};

const failed = (machine: Machine) => failuresOf(results(machine));

const noGpu = { devices: [], nodes: [] };

/** Fault by fault: what the machine is like, what is said, and a piece of what to do. */
const faults: readonly (readonly [string, Machine, string, string])[] = [
  [
    'a virtual machine without a GPU',
    { gpu: noGpu, facts: { virtualization: 'kvm' } },
    'gpu-device: this virtual machine has no GPU handed to it',
    'qm set ID -hostpci0',
  ],
  [
    'a machine without a GPU',
    { gpu: noGpu },
    'gpu-device: the inventory says gpu: nvidia, and no GPU is on the PCI bus',
    'lspci -nn',
  ],
  [
    'a GPU of the other maker',
    { host: { gpu: 'amd' } },
    'gpu-device: the inventory says gpu: amd, and the GPUs of this machine are nvidia',
    'write gpu: nvidia',
  ],
  [
    'a bus that cannot be read',
    { gpu: { ...noGpu, busRead: false } },
    'gpu-device: cannot tell whether this machine has a GPU: its PCI bus cannot be read',
    'skip this check',
  ],
  [
    'all GPUs handed to virtual machines',
    { gpu: { devices: bare.map((one) => ({ ...one, driver: 'vfio-pci' })) }, nvidia: nothingInstalled },
    'gpu-passthrough: 0000:65:00.0, 0000:66:00.0 are bound to vfio-pci, for virtual machines',
    'take vfio-pci.ids=10de:2330 from the kernel command line',
  ],
  [
    'nouveau',
    {
      gpu: { devices: bare.map((one) => ({ ...one, driver: 'nouveau' })) },
      nvidia: { ...nothingInstalled, nouveau: true },
    },
    "gpu-nouveau: the driver nouveau holds the GPU, and NVIDIA's cannot be loaded beside it",
    'update-initramfs -u && reboot',
  ],
  [
    'nouveau on a Red Hat',
    { gpu: { devices: bare }, nvidia: { ...nothingInstalled, nouveau: true }, facts: { os: 'Rocky Linux 9.5' } },
    "gpu-nouveau: the driver nouveau holds the GPU, and NVIDIA's cannot be loaded beside it",
    'dracut --force && reboot',
  ],
  [
    'Secure Boot and a module without a signature',
    { gpu: { devices: bare }, nvidia: { ...nothingInstalled, module: '570.124.06', secureBoot: 'on' } },
    'gpu-secure-boot: Secure Boot is on, and the module nvidia 570.124.06 has no signature, so the kernel does not load it',
    'mokutil --import',
  ],
  [
    'Secure Boot where a module is still to be built',
    {
      gpu: { devices: bare },
      nvidia: { ...nothingInstalled, secureBoot: 'on', packages: ['nvidia-kernel-dkms'] },
      host: { nvidia: { driver: 'distribution' } },
    },
    "gpu-secure-boot: Secure Boot is on, and loads the driver's module only with a key that the firmware knows",
    'mokutil --import',
  ],
  [
    'a kernel without headers after its update',
    { gpu: { devices: bare }, nvidia: { ...nothingInstalled, library: '570.124.06', headers: false } },
    "gpu-headers: NVIDIA's module is not built for kernel 6.1.0-28-amd64, and its headers are not installed",
    'apt install linux-headers-6.1.0-28-amd64 && dkms autoinstall',
  ],
  [
    'no driver',
    { gpu: { devices: bare }, nvidia: { ...nothingInstalled, packages: ['nvidia-kernel-dkms', 'nvidia-smi'] } },
    "gpu-driver: NVIDIA's driver is not installed",
    'apt install nvidia-kernel-dkms nvidia-smi; or let kbs do it: gpu: { vendor: nvidia, driver: distribution }',
  ],
  [
    'no driver that the distribution knows',
    { gpu: { devices: bare }, nvidia: nothingInstalled, host: { nvidia: { driver: 'distribution' } } },
    "gpu-driver: the host's package manager knows no package with NVIDIA's driver",
    'non-free',
  ],
  [
    'a driver that is not loaded',
    { gpu: { devices: bare }, nvidia: { ...nothingInstalled, module: '570.124.06', library: '570.124.06' } },
    "gpu-driver: NVIDIA's driver 570.124.06 is installed and not loaded",
    'modprobe nvidia',
  ],
  [
    'a module that is not built',
    { gpu: { devices: bare }, nvidia: { ...nothingInstalled, library: '570.124.06' } },
    "gpu-driver: NVIDIA's module is not built for kernel 6.1.0-28-amd64",
    'dkms autoinstall',
  ],
  [
    'a GPU that the driver does not hold',
    { gpu: { devices: [device('0000:65:00.0'), { ...device('0000:66:00.0'), driver: '' }] } },
    "gpu-driver: NVIDIA's driver is loaded and does not hold 0000:66:00.0",
    'dmesg | grep -i nvrm',
  ],
  [
    'a GPU that has fallen off the bus',
    {
      gpu: {
        devices: [device('0000:65:00.0'), { address: '0000:66:00.0', vendor: 'nvidia', id: '2330', driver: 'nvidia' }],
      },
    },
    'gpu-driver: the driver no longer reaches 0000:66:00.0: it has fallen off the bus',
    'dmesg | grep -i xid',
  ],
  [
    'a library of another version',
    { nvidia: { ...nvidia, library: '570.133.20' } },
    "gpu-library: NVIDIA's driver in the kernel is 570.124.06, and its library is 570.133.20",
    'reboot',
  ],
  [
    'a driver without its library',
    { nvidia: { ...nothingInstalled, loaded: '570.124.06' } },
    "gpu-library: NVIDIA's driver 570.124.06 is loaded, and libnvidia-ml.so.1 is not installed",
    'apt install libnvidia-ml1',
  ],
  [
    'a driver that is too old',
    { nvidia: { ...nvidia, loaded: '390.157', library: '390.157' } },
    "gpu-toolkit: NVIDIA's driver is 390.157, and its container toolkit needs 418.81.07 or newer",
    'newer release',
  ],
  [
    'a driver that is too old for MIG',
    {
      nvidia: { ...nvidia, loaded: '440.33.01', library: '440.33.01' },
      host: { nvidia: { driver: 'host', mig: 'single' } },
    },
    "gpu-toolkit: NVIDIA's driver is 440.33.01, and its container toolkit needs 450.80.02 or newer for MIG",
    'newer release',
  ],
  [
    'MIG without a decision in the inventory',
    { gpu: { devices: [device('0000:65:00.0', { mig: true }), device('0000:66:00.0')] } },
    'gpu-mig: 0000:65:00.0 is partitioned (MIG), and the inventory does not say how to offer the instances',
    'mig: single',
  ],
  [
    'MIG on some GPUs where all are to be alike',
    {
      gpu: { devices: [device('0000:65:00.0', { mig: true }), device('0000:66:00.0')] },
      host: { nvidia: { driver: 'host', mig: 'single' } },
    },
    'gpu-mig: with mig: single all GPUs are partitioned or none, and only 0000:65:00.0 is',
    'mig: mixed',
  ],
  [
    'a fabric manager that does not run',
    { gpu: { switches: 4 }, nvidia: { ...nvidia, fabricManager: { load: 'loaded', active: 'failed' } } },
    'gpu-fabric-manager: this machine has 4 NVSwitch devices, and the fabric manager is failed',
    'journalctl -u nvidia-fabricmanager',
  ],
  [
    'no fabric manager',
    { gpu: { switches: 4 }, nvidia: { ...nvidia, fabricManager: { load: 'not-found', active: 'inactive' } } },
    'gpu-fabric-manager: this machine has 4 NVSwitch devices, and the fabric manager is not installed',
    "in the driver's version, 570.124.06",
  ],
  [
    "AMD's GPU without a driver",
    { gpu: { devices: [device('0000:08:00.0', { vendor: 'amd', driver: '' })] }, host: { gpu: 'amd' } },
    'gpu-driver: the driver amdgpu does not hold 0000:08:00.0',
    'modprobe amdgpu',
  ],
];

test.each([
  [2, []],
  [4, ['gpu-count: the inventory says count: 4, and this machine has 2']],
])('an inventory that says count: %i', (gpuCount, expected) => {
  const warnings = results({ host: { gpuCount } }).filter(({ warning }) => warning);
  expect(warnings.map(({ name, detail }) => `${name}: ${detail}`)).toEqual(expected);
});

test.each(faults)('%s is named once, with what to do', (_name, machine, message, next) => {
  const [failure, ...more] = failed(machine);
  expect([failure, ...more].map((one) => one?.message)).toEqual([message]);
  expect(failure?.next).toContain(next);
  expect(failure?.next).toMatch(/^[a-z]/);
});

test.each<[string, Machine]>([
  ['two GPUs with their driver', {}],
  [
    'a driver that the distribution will bring',
    {
      gpu: { devices: bare },
      nvidia: { ...nothingInstalled, packages: ['nvidia-kernel-dkms'] },
      host: { nvidia: { driver: 'distribution' } },
    },
  ],
  [
    'one GPU for pods and one for a virtual machine',
    {
      gpu: {
        devices: [
          device('0000:65:00.0'),
          { address: '0000:66:00.0', vendor: 'nvidia', id: '2330', driver: 'vfio-pci' },
        ],
      },
    },
  ],
  ['a GPU on no PCI bus, with its device files', { gpu: { devices: [], busRead: false } }],
  [
    'GPUs of which nvidia-smi says nothing',
    {
      gpu: { devices: bare.map((one) => ({ ...one, driver: 'nvidia' })) },
      nvidia: { ...nvidia, silent: true },
    },
  ],
  ['a signed module under Secure Boot', { nvidia: { ...nvidia, secureBoot: 'on', signed: true } }],
  [
    'MIG that the inventory offers',
    {
      gpu: { devices: [device('0000:65:00.0', { mig: true })] },
      host: { nvidia: { driver: 'host', mig: 'mixed' } },
    },
  ],
  [
    'NVSwitch with its fabric manager',
    {
      gpu: { switches: 4 },
      nvidia: { ...nvidia, fabricManager: { load: 'loaded', active: 'active' } },
    },
  ],
])('nothing is wrong with %s', (_name, machine) => {
  expect(failed(machine).map(({ message }) => message)).toEqual([]);
});

describe('advice', () => {
  const { gpu: _gpu, nvidia: _nvidia, ...plainHost } = gpuHost();
  const facts = factsOf({});

  test('proposes GPUs that the inventory does not name', () => {
    expect(gpuAdvice(plainHost, facts)).toEqual([
      'has 2 NVIDIA GPUs: set gpu: nvidia in the inventory to give them to pods, or gpu: none to leave them alone',
    ]);
  });

  test.each<[string, ClusterHost, GpuFacts]>([
    ['what the inventory leaves alone', { ...plainHost, ignoresGpus: true }, facts.gpu],
    ['what it names', gpuHost(), facts.gpu],
    ['GPUs of virtual machines', plainHost, { ...fit, devices: bare.map((one) => ({ ...one, driver: 'vfio-pci' })) }],
    ['a host that runs no pods', hostOf({ name: 'lb-00', address: '192.168.10.3', segment: 'office' }), facts.gpu],
  ])('is silent about %s', (_name, host, gpu) => {
    expect(gpuAdvice(host, { ...facts, gpu })).toEqual([]);
  });

  test('names GPUs that no virtual machine can have for want of an IOMMU', () => {
    const devices = bare.map((one) => ({ ...one, driver: 'vfio-pci' }));
    expect(gpuAdvice(plainHost, { ...facts, gpu: { ...fit, devices, iommu: false } })).toEqual([
      '0000:65:00.0, 0000:66:00.0 are bound to vfio-pci, and no IOMMU is on: no virtual machine can have them before VT-d or AMD-Vi is on in the firmware, and on Intel intel_iommu=on on the kernel command line',
    ]);
  });

  test('says what cannot be told where the driver does not answer', () => {
    expect(gpuAdvice(gpuHost(), factsOf({ nvidia: { ...nvidia, silent: true } }))).toEqual([
      'nvidia-smi does not answer, so kbs cannot tell whether a GPU is partitioned (MIG) or lost: run it there',
    ]);
  });

  test("says that kbs brings no device plugin for AMD's", () => {
    expect(gpuAdvice(gpuHost({ gpu: 'amd' }), facts)[0]).toContain('docker.io/rocm/k8s-device-plugin');
  });
});
