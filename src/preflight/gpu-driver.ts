import type { Facts, GpuDevice, NvidiaFacts } from '../hosts/facts/facts.js';
import { type ClusterHost, isNode, isNvidiaNode } from '../inventory/cluster.js';
import { type FailedCheck, failIf, type HostCheck } from './check.js';
import { gpuPassthroughCheck } from './gpu.js';
import { addressesOf, gpusOf, isRedHat, newInitramfs, passthroughDrivers } from './gpu-devices.js';

export const gpuNouveauCheck = {
  name: 'gpu-nouveau',
  scope: 'host',
  summary: 'the driver nouveau does not hold the GPUs of a node with `gpu: nvidia`',
  fix: 'blacklist nouveau, make the initramfs anew, and reboot',
  check: (host, { gpu, os }) =>
    failIf(
      isNvidiaNode(host) && hasNouveau(gpu),
      `the driver nouveau holds the GPU, and NVIDIA's cannot be loaded beside it`,
      `printf 'blacklist nouveau\\noptions nouveau modeset=0\\n' > /etc/modprobe.d/nouveau.conf && ${newInitramfs(os)} && reboot`,
    ),
} satisfies HostCheck;

const hasNouveau = ({ devices, nvidia }: Facts['gpu']): boolean =>
  nvidia?.loaded === undefined && (nvidia?.nouveau === true || devices.some(({ driver }) => driver === 'nouveau'));

/** With `driver: distribution` the key of a module that is still to be built must be known to the firmware as well. */
export const gpuSecureBootCheck = {
  name: 'gpu-secure-boot',
  scope: 'host',
  summary: "with Secure Boot on, NVIDIA's module is loaded or signed",
  fix: 'sign the module with an enrolled key, or switch Secure Boot off',
  check: (host, { gpu: { nvidia } }) => {
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
  },
} satisfies HostCheck;

/** A driver whose module could not be built for the kernel that runs now, most often after an update of the kernel. */
export const gpuHeadersCheck = {
  name: 'gpu-headers',
  scope: 'host',
  summary: "where NVIDIA's module is still to be built, the headers of the running kernel are there",
  fix: 'install the headers of the running kernel, then: dkms autoinstall',
  check: (host, { gpu: { nvidia }, kernel, os }) =>
    failIf(
      isNvidiaNode(host) && nvidia !== undefined && isNotBuilt(nvidia) && !nvidia.headers,
      `NVIDIA's module is not built for kernel ${kernel}, and its headers are not installed`,
      isRedHat(os)
        ? `dnf install kernel-devel-${kernel} && dkms autoinstall && modprobe nvidia`
        : `apt install linux-headers-${kernel} && dkms autoinstall && modprobe nvidia`,
    ),
} satisfies HostCheck;

const isNotBuilt = ({ loaded, module, library }: NvidiaFacts): boolean =>
  loaded === undefined && module === undefined && library !== undefined;

export const gpuDriverCheck = {
  name: 'gpu-driver',
  scope: 'host',
  summary: 'the driver of the maker is loaded and holds the GPUs, or `driver: distribution` can install it',
  fix: 'install the driver as the message says, or write `driver: distribution`',
  check: (host, facts) => {
    if (!isNode(host)) return [];
    if (host.gpu === 'amd') return checkAmdDriver(host, facts);
    const { gpu } = facts;
    const { nvidia } = gpu;
    if (host.gpu !== 'nvidia' || nvidia === undefined) return [];
    if (nvidia.loaded !== undefined) return checkBound(host, gpu.devices);
    // Named by the check of its gpusOf.
    const isNamed = [gpuPassthroughCheck, gpuNouveauCheck, gpuSecureBootCheck, gpuHeadersCheck].some(
      ({ check }) => check(host, facts).length > 0,
    );
    return isNamed ? [] : checkMissingDriver(host, facts, nvidia);
  },
} satisfies HostCheck;

const checkBound = (host: ClusterHost, devices: readonly GpuDevice[]): readonly FailedCheck[] => {
  const used = gpusOf(host, devices).filter(({ driver }) => !passthroughDrivers.includes(driver));
  const unbound = used.filter(({ driver }) => driver !== 'nvidia');
  const asked = used.some(({ memory }) => memory !== undefined);
  const silent = used.filter(({ driver, memory }) => driver === 'nvidia' && asked && memory === undefined);
  return [
    ...failIf(
      unbound.length > 0,
      `NVIDIA's driver is loaded and does not hold ${addressesOf(unbound)}`,
      'see what the driver says: dmesg | grep -i nvrm; a GPU that it does not know needs another release of the driver',
    ),
    ...failIf(
      silent.length > 0,
      `the driver no longer reaches ${addressesOf(silent)}: it has fallen off the bus`,
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
  const idle = gpusOf(host, gpu.devices).filter(
    ({ driver }) => driver !== 'amdgpu' && !passthroughDrivers.includes(driver),
  );
  return failIf(
    idle.length > 0,
    `the driver amdgpu does not hold ${addressesOf(idle)}`,
    'modprobe amdgpu; where that does not help, install the firmware (Debian: apt install firmware-amd-graphics) and see: dmesg | grep -i amdgpu',
  );
};

export const gpuLibraryCheck = {
  name: 'gpu-library',
  scope: 'host',
  summary: "the libraries of NVIDIA's driver are there, of the version that the kernel has loaded",
  fix: 'reboot after an update of the driver',
  check: (host, { gpu: { nvidia }, os }) => {
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
  },
} satisfies HostCheck;

const librariesOf = (os: string, version: string): string => {
  if (/ubuntu/i.test(os)) return `apt install nvidia-utils-${version.split('.')[0]}-server`;
  return isRedHat(os) ? 'dnf install nvidia-driver-cuda' : 'apt install libnvidia-ml1 libcuda1 nvidia-smi';
};

/** The oldest drivers: of NVIDIA's container toolkit, and with MIG (NVIDIA's documentation of both). */
const oldest = '418.81.07';
const oldestForMig = '450.80.02';

export const gpuToolkitCheck = {
  name: 'gpu-toolkit',
  scope: 'host',
  summary: 'a driver of NVIDIA is new enough for the container toolkit, and for MIG',
  fix: 'install a newer release of the driver',
  check: (host, { gpu: { nvidia } }) => {
    const { loaded } = nvidia ?? {};
    if (!isNvidiaNode(host) || loaded === undefined) return [];
    const hasMig = host.nvidia?.mig === 'single' || host.nvidia?.mig === 'mixed';
    const needed = hasMig ? oldestForMig : oldest;
    return failIf(
      isVersion(loaded) && isOlder(loaded, needed),
      `NVIDIA's driver is ${loaded}, and its container toolkit needs ${needed} or newer${hasMig ? ' for MIG' : ''}`,
      'install a newer release of the driver, and reboot',
    );
  },
} satisfies HostCheck;

const isVersion = (text: string): boolean => /^\d+(\.\d+)+$/.test(text);

const isOlder = (one: string, other: string): boolean => {
  const [a, b] = [one, other].map((text) => text.split('.').map(Number));
  const at = b?.findIndex((part, index) => part !== (a?.[index] ?? 0)) ?? -1;
  return at >= 0 && (a?.[at] ?? 0) < (b?.[at] ?? 0);
};
