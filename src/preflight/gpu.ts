import type { Facts, GpuDevice, NvidiaFacts } from '../hosts/facts/facts.js';
import { type ClusterHost, isNode, isNvidiaNode } from '../inventory/cluster.js';
import { type FailedCheck, failIf } from './check.js';

/*
 * What pods need of a host before they can have its GPUs. Each fault is named by one check, the one nearest to its cause:
 * without a driver nothing is said of its library.
 */

export const checkGpuDevice = (host: ClusterHost, { gpu, virtualization }: Facts): readonly FailedCheck[] => {
  if (!isNode(host) || host.gpu === undefined || own(host, gpu.devices).length > 0) return [];
  // Where a driver serves device files, the GPU is on no PCI bus that this machine sees.
  if (gpu.nodes.some((node) => node.startsWith(host.gpu === 'amd' ? '/dev/kfd' : '/dev/nvidia'))) return [];
  const what = `the inventory says gpu: ${host.gpu}`;
  const others = [...new Set(gpu.devices.map(({ vendor }) => vendor))];
  if (others.length > 0) {
    return [
      { detail: `${what}, and the GPUs of this machine are ${others.join(' and ')}`, next: `write gpu: ${others[0]}` },
    ];
  }
  if (!gpu.busRead) {
    return [
      {
        detail: `cannot tell whether this machine has a GPU: its PCI bus cannot be read`,
        next: 'look there: lspci -nn; if pods can use its GPUs all the same, skip this check',
      },
    ];
  }
  if (virtualization === 'none') {
    return [
      { detail: `${what}, and no GPU is on the PCI bus`, next: 'see what is there: lspci -nn; or write gpu: none' },
    ];
  }
  return containers.includes(virtualization)
    ? [{ detail: 'this container sees no GPU', next: 'hand the device files of the GPU to it, or write gpu: none' }]
    : [
        {
          detail: 'this virtual machine has no GPU handed to it',
          next: 'hand it one by PCI passthrough on its hypervisor (Proxmox: qm set ID -hostpci0 0000:65:00,pcie=1), or write gpu: none',
        },
      ];
};

/** What systemd-detect-virt(1) calls containers; all other words are virtual machines. */
const containers: readonly string[] = ['openvz', 'lxc', 'lxc-libvirt', 'systemd-nspawn', 'docker', 'podman', 'wsl'];

/** Some GPUs of a machine may be for virtual machines, but not all of a node's. */
export const checkGpuPassthrough = (host: ClusterHost, { gpu, os }: Facts): readonly FailedCheck[] => {
  const devices = isNode(host) ? own(host, gpu.devices) : [];
  const handed = devices.filter(({ driver }) => handedOver.includes(driver));
  return failIf(
    devices.length > 0 && handed.length === devices.length,
    `${listed(handed)} ${are(handed)} bound to ${handed[0]?.driver}, for virtual machines`,
    `to use ${handed.length === 1 ? 'it' : 'them'} here, take vfio-pci.ids=${vendorIds[host.gpu ?? 'nvidia']}:${handed[0]?.id} from the kernel command line and /etc/modprobe.d, then: ${newInitramfs(os)} && reboot; or make the virtual machine a node, and write gpu: none here`,
  );
};

const handedOver: readonly string[] = ['vfio-pci', 'pci-stub', 'xen-pciback'];
const vendorIds = { nvidia: '10de', amd: '1002' } as const;

export const checkGpuNouveau = (host: ClusterHost, { gpu, os }: Facts): readonly FailedCheck[] =>
  failIf(
    isNvidiaNode(host) && hasNouveau(gpu),
    `the driver nouveau holds the GPU, and NVIDIA's cannot be loaded beside it`,
    `printf 'blacklist nouveau\\noptions nouveau modeset=0\\n' > /etc/modprobe.d/nouveau.conf && ${newInitramfs(os)} && reboot`,
  );

const hasNouveau = ({ devices, nvidia }: Facts['gpu']): boolean =>
  nvidia?.loaded === undefined && (nvidia?.nouveau === true || devices.some(({ driver }) => driver === 'nouveau'));

/** With `driver: distribution` the key of a module that is still to be built must be known to the firmware as well. */
export const checkGpuSecureBoot = (host: ClusterHost, { gpu: { nvidia } }: Facts): readonly FailedCheck[] => {
  if (!isNvidiaNode(host) || nvidia === undefined || nvidia.loaded !== undefined || nvidia.secureBoot !== 'on')
    return [];
  if (nvidia.signed || (nvidia.module === undefined && host.nvidia?.driver !== 'distribution')) return [];
  return [
    {
      detail:
        nvidia.module === undefined
          ? "Secure Boot is on, and loads the driver's module only with a key that the firmware knows"
          : `Secure Boot is on, and the module nvidia ${nvidia.module} has no signature, so the kernel does not load it`,
      next: "sign the module with an enrolled key (mokutil --import /var/lib/dkms/mok.pub, reboot, confirm at the console), or switch Secure Boot off in the firmware; then skip this check if the driver comes with kbs's run",
    },
  ];
};

/** A driver whose module could not be built for the kernel that runs now, most often after an update of the kernel. */
export const checkGpuHeaders = (host: ClusterHost, { gpu: { nvidia }, kernel, os }: Facts): readonly FailedCheck[] =>
  failIf(
    isNvidiaNode(host) && nvidia !== undefined && isNotBuilt(nvidia) && !nvidia.headers,
    `NVIDIA's module is not built for kernel ${kernel}, and its headers are not installed`,
    isRedHat(os)
      ? `dnf install kernel-devel-${kernel} && dkms autoinstall && modprobe nvidia`
      : `apt install linux-headers-${kernel} && dkms autoinstall && modprobe nvidia`,
  );

const isNotBuilt = ({ loaded, module, library }: NvidiaFacts): boolean =>
  loaded === undefined && module === undefined && library !== undefined;

export const checkGpuDriver = (host: ClusterHost, facts: Facts): readonly FailedCheck[] => {
  if (!isNode(host)) return [];
  if (host.gpu === 'amd') return checkAmdDriver(host, facts);
  const { gpu } = facts;
  const { nvidia } = gpu;
  if (host.gpu !== 'nvidia' || nvidia === undefined) return [];
  if (nvidia.loaded !== undefined) return checkBound(host, gpu.devices);
  // Named by the check of its own.
  const isNamed = [checkGpuPassthrough, checkGpuNouveau, checkGpuSecureBoot, checkGpuHeaders].some(
    (check) => check(host, facts).length > 0,
  );
  return isNamed ? [] : checkMissingDriver(host, facts, nvidia);
};

const checkBound = (host: ClusterHost, devices: readonly GpuDevice[]): readonly FailedCheck[] => {
  const used = own(host, devices).filter(({ driver }) => !handedOver.includes(driver));
  const unbound = used.filter(({ driver }) => driver !== 'nvidia');
  const asked = used.some(({ memory }) => memory !== undefined);
  const silent = used.filter(({ driver, memory }) => driver === 'nvidia' && asked && memory === undefined);
  return [
    ...failIf(
      unbound.length > 0,
      `NVIDIA's driver is loaded and does not hold ${listed(unbound)}`,
      'see what the driver says: dmesg | grep -i nvrm; a GPU that it does not know needs another release of the driver',
    ),
    ...failIf(
      silent.length > 0,
      `the driver no longer reaches ${listed(silent)}: it has fallen off the bus`,
      'see why: dmesg | grep -i xid; then reset the machine, and check the seat, power and cooling of the card',
    ),
  ];
};

const checkMissingDriver = (
  host: ClusterHost,
  { os, kernel }: Facts,
  { module, library, packages }: NvidiaFacts,
): readonly FailedCheck[] => {
  if (module !== undefined) {
    return [
      {
        detail: `NVIDIA's driver ${module} is installed and not loaded`,
        next: 'modprobe nvidia; where the kernel refuses it: dmesg | tail',
      },
    ];
  }
  if (library !== undefined) {
    return [
      {
        detail: `NVIDIA's module is not built for kernel ${kernel}`,
        next: 'dkms autoinstall && modprobe nvidia; where it cannot be built: dkms status',
      },
    ];
  }
  if (host.nvidia?.driver === 'distribution') {
    return packages.length > 0
      ? []
      : [{ detail: "the host's package manager knows no package with NVIDIA's driver", next: howToOffer(os) }];
  }
  return [
    {
      detail: "NVIDIA's driver is not installed",
      next:
        packages.length > 0
          ? `apt install ${packages.join(' ')}; or let kbs do it: gpu: { vendor: nvidia, driver: distribution }`
          : howToOffer(os),
    },
  ];
};

const howToOffer = (os: string): string => {
  if (/debian/i.test(os)) {
    return 'add the components contrib, non-free and non-free-firmware to the sources in /etc/apt, then: apt update';
  }
  if (/ubuntu/i.test(os)) return 'add the component restricted to the sources in /etc/apt, then: apt update';
  return isRedHat(os)
    ? "add NVIDIA's repository (dnf config-manager --add-repo https://developer.download.nvidia.com/compute/cuda/repos/…), then: dnf module install nvidia-driver"
    : "install NVIDIA's driver as the distribution says, then: modprobe nvidia";
};

const checkAmdDriver = (host: ClusterHost, { gpu }: Facts): readonly FailedCheck[] => {
  const idle = own(host, gpu.devices).filter(({ driver }) => driver !== 'amdgpu' && !handedOver.includes(driver));
  return failIf(
    idle.length > 0,
    `the driver amdgpu does not hold ${listed(idle)}`,
    'modprobe amdgpu; where that does not help, install the firmware (Debian: apt install firmware-amd-graphics) and see: dmesg | grep -i amdgpu',
  );
};

export const checkGpuLibrary = (host: ClusterHost, { gpu: { nvidia }, os }: Facts): readonly FailedCheck[] => {
  const { loaded, library } = nvidia ?? {};
  if (!isNvidiaNode(host) || loaded === undefined) return [];
  if (library === undefined) {
    return [
      {
        detail: `NVIDIA's driver ${loaded} is loaded, and libnvidia-ml.so.1 is not installed`,
        next: `install the libraries of the same release: ${librariesOf(os, loaded)}`,
      },
    ];
  }
  return failIf(
    isVersion(library) && library !== loaded,
    `NVIDIA's driver in the kernel is ${loaded}, and its library is ${library}`,
    'reboot, so that the kernel loads the module of the library; where they still differ: dkms autoinstall',
  );
};

const librariesOf = (os: string, version: string): string => {
  if (/ubuntu/i.test(os)) return `apt install nvidia-utils-${version.split('.')[0]}-server`;
  return isRedHat(os) ? 'dnf install nvidia-driver-cuda' : 'apt install libnvidia-ml1 libcuda1 nvidia-smi';
};

/** The oldest drivers: of NVIDIA's container toolkit, and with MIG (NVIDIA's documentation of both). */
const oldest = '418.81.07';
const oldestForMig = '450.80.02';

export const checkGpuToolkit = (host: ClusterHost, { gpu: { nvidia } }: Facts): readonly FailedCheck[] => {
  const { loaded } = nvidia ?? {};
  if (!isNvidiaNode(host) || loaded === undefined) return [];
  const hasMig = host.nvidia?.mig === 'single' || host.nvidia?.mig === 'mixed';
  const needed = hasMig ? oldestForMig : oldest;
  return failIf(
    isVersion(loaded) && isOlder(loaded, needed),
    `NVIDIA's driver is ${loaded}, and its container toolkit needs ${needed} or newer${hasMig ? ' for MIG' : ''}`,
    'install a newer release of the driver, and reboot',
  );
};

const isVersion = (text: string): boolean => /^\d+(\.\d+)+$/.test(text);

const isOlder = (one: string, other: string): boolean => {
  const [a, b] = [one, other].map((text) => text.split('.').map(Number));
  const at = b?.findIndex((part, index) => part !== (a?.[index] ?? 0)) ?? -1;
  return at >= 0 && (a?.[at] ?? 0) < (b?.[at] ?? 0);
};

export const checkGpuMig = (host: ClusterHost, { gpu }: Facts): readonly FailedCheck[] => {
  if (!isNvidiaNode(host)) return [];
  const devices = own(host, gpu.devices);
  const partitioned = devices.filter(({ mig }) => mig === true);
  const whole = devices.filter(({ mig, driver }) => mig !== true && driver === 'nvidia');
  if (host.nvidia?.mig === 'single' && partitioned.length > 0 && whole.length > 0) {
    return [
      {
        detail: `with mig: single all GPUs are partitioned or none, and only ${listed(partitioned)} ${are(partitioned)}`,
        next: 'write mig: mixed, or switch MIG on or off everywhere: nvidia-smi -mig 1',
      },
    ];
  }
  return failIf(
    host.nvidia?.mig === undefined && partitioned.length > 0,
    `${listed(partitioned)} ${are(partitioned)} partitioned (MIG), and the inventory does not say how to offer the instances`,
    `write gpu: { vendor: nvidia, mig: single } or mixed; or switch it off: nvidia-smi -i ${partitioned[0]?.address} -mig 0`,
  );
};

/** GPUs behind NVSwitch start no program before the fabric manager has set the switches up; its version is the driver's. */
export const checkGpuFabricManager = (host: ClusterHost, { gpu }: Facts): readonly FailedCheck[] => {
  const { fabricManager, loaded } = gpu.nvidia ?? {};
  if (!isNvidiaNode(host) || gpu.switches === 0 || fabricManager === undefined) return [];
  const { load, active } = fabricManager;
  if (active === 'active') return [];
  return [
    {
      detail: `this machine has ${gpu.switches} NVSwitch devices, and the fabric manager ${load === 'not-found' ? 'is not installed' : `is ${active}`}`,
      next:
        load === 'not-found'
          ? `install nvidia-fabricmanager${loaded === undefined ? '' : ` in the driver's version, ${loaded}`}, then: systemctl enable --now nvidia-fabricmanager`
          : 'systemctl enable --now nvidia-fabricmanager; where it does not stay: journalctl -u nvidia-fabricmanager',
    },
  ];
};

/** `kbs topology` and `kbs what-if` count what the inventory says. */
export const checkGpuCount = (host: ClusterHost, { gpu }: Facts): readonly FailedCheck[] => {
  const found = own(host, gpu.devices).length;
  return failIf(
    isNode(host) && host.gpuCount !== undefined && found > 0 && found !== host.gpuCount,
    `the inventory says count: ${host.gpuCount}, and this machine has ${found}`,
    `write count: ${found}, or see which one is missing: lspci -nn`,
  );
};

/** What to say about a host's GPUs where nothing is wrong: one line each, and kbs does nothing of it by itself. */
export const gpuAdvice = (host: ClusterHost, { gpu }: Facts): readonly string[] => {
  if (!isNode(host) || host.ignoresGpus) return [];
  if (host.gpu === 'amd') {
    return [
      "kbs labels nodes with AMD's GPUs and brings no device plugin for them: until the image docker.io/rocm/k8s-device-plugin runs there, pods cannot ask for amd.com/gpu (docs/gpu.md)",
    ];
  }
  if (host.gpu === 'nvidia') {
    return gpu.nvidia?.silent
      ? ['nvidia-smi does not answer, so kbs cannot tell whether a GPU is partitioned (MIG) or lost: run it there']
      : [];
  }
  const handed = gpu.devices.filter(({ driver }) => driver === 'vfio-pci');
  const noIommu =
    handed.length > 0 && !gpu.iommu
      ? [
          `${listed(handed)} ${are(handed)} bound to vfio-pci, and no IOMMU is on: no virtual machine can have ${handed.length === 1 ? 'it' : 'them'} before VT-d or AMD-Vi is on in the firmware, and on Intel intel_iommu=on on the kernel command line`,
        ]
      : [];
  const free = gpu.devices.filter(({ driver }) => !handedOver.includes(driver));
  const proposals = (['nvidia', 'amd'] as const).flatMap((vendor) => {
    const count = free.filter((one) => one.vendor === vendor).length;
    if (count === 0) return [];
    const what = `${count} ${vendor === 'nvidia' ? 'NVIDIA' : 'AMD'} GPU${count === 1 ? '' : 's'}`;
    return [`has ${what}: set gpu: ${vendor} in the inventory to give them to pods, or gpu: none to leave them alone`];
  });
  return [...noIommu, ...proposals];
};

const own = ({ gpu }: ClusterHost, devices: readonly GpuDevice[]): readonly GpuDevice[] =>
  devices.filter(({ vendor }) => vendor === gpu);

const listed = (devices: readonly GpuDevice[]): string => devices.map(({ address }) => address).join(', ');
const are = (devices: readonly GpuDevice[]): string => (devices.length === 1 ? 'is' : 'are');

const isRedHat = (os: string): boolean => /red hat|rocky|alma|centos|fedora|oracle/i.test(os);

const newInitramfs = (os: string): string => (isRedHat(os) ? 'dracut --force' : 'update-initramfs -u');
