import { isNode, isNvidiaNode } from '../inventory/cluster.js';
import { failIf, type HostCheck } from './check.js';
import { addressesOf, are, gpusOf, newInitramfs, passthroughDrivers } from './gpu-devices.js';

/*
 * What pods need of a host before they can have its GPUs. Each fault is named by one check, the one nearest to its cause:
 * without a driver nothing is said of its library.
 */

export const gpuDeviceCheck = {
  name: 'gpu-device',
  scope: 'host',
  summary: 'a node with `gpu` has GPUs of that maker on its PCI bus; a virtual machine has one handed to it',
  fix: 'correct `gpu` in the inventory, or hand the virtual machine a GPU by PCI passthrough',
  check: (host, { gpu, virtualization }) => {
    if (!isNode(host) || host.gpu === undefined || gpusOf(host, gpu.devices).length > 0) return [];
    // Where a driver serves device files, the GPU is on no PCI bus that this machine sees.
    if (gpu.nodes.some((node) => node.startsWith(host.gpu === 'amd' ? '/dev/kfd' : '/dev/nvidia'))) return [];
    const what = `the inventory says gpu: ${host.gpu}`;
    const others = [...new Set(gpu.devices.map(({ vendor }) => vendor))];
    if (others.length > 0) {
      return [
        {
          detail: `${what}, and the GPUs of this machine are ${others.join(' and ')}`,
          next: `write gpu: ${others[0]}`,
        },
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
  },
} satisfies HostCheck;

/** What systemd-detect-virt(1) calls containers; all other words are virtual machines. */
const containers: readonly string[] = ['openvz', 'lxc', 'lxc-libvirt', 'systemd-nspawn', 'docker', 'podman', 'wsl'];

/** Some GPUs of a machine may be for virtual machines, but not all of a node's. */
export const gpuPassthroughCheck = {
  name: 'gpu-passthrough',
  scope: 'host',
  summary: 'the GPUs of a node with `gpu` are not all bound to vfio-pci, for virtual machines',
  fix: 'take them from vfio-pci and reboot, or make the virtual machine a node',
  check: (host, { gpu, os }) => {
    const devices = isNode(host) ? gpusOf(host, gpu.devices) : [];
    const handed = devices.filter(({ driver }) => passthroughDrivers.includes(driver));
    return failIf(
      devices.length > 0 && handed.length === devices.length,
      `${addressesOf(handed)} ${are(handed)} bound to ${handed[0]?.driver}, for virtual machines`,
      `to use ${handed.length === 1 ? 'it' : 'them'} here, take vfio-pci.ids=${vendorIds[host.gpu ?? 'nvidia']}:${handed[0]?.id} from the kernel command line and /etc/modprobe.d, then: ${newInitramfs(os)} && reboot; or make the virtual machine a node, and write gpu: none here`,
    );
  },
} satisfies HostCheck;

const vendorIds = { nvidia: '10de', amd: '1002' } as const;

export const gpuMigCheck = {
  name: 'gpu-mig',
  scope: 'host',
  summary: 'where GPUs are partitioned (MIG), the inventory says how to offer the instances',
  fix: 'write `mig: single` or `mig: mixed`, or switch MIG off',
  check: (host, { gpu }) => {
    if (!isNvidiaNode(host)) return [];
    const devices = gpusOf(host, gpu.devices);
    const partitioned = devices.filter(({ mig }) => mig === true);
    const whole = devices.filter(({ mig, driver }) => mig !== true && driver === 'nvidia');
    if (host.nvidia?.mig === 'single' && partitioned.length > 0 && whole.length > 0) {
      return [
        {
          detail: `with mig: single all GPUs are partitioned or none, and only ${addressesOf(partitioned)} ${are(partitioned)}`,
          next: 'write mig: mixed, or switch MIG on or off everywhere: nvidia-smi -mig 1',
        },
      ];
    }
    return failIf(
      host.nvidia?.mig === undefined && partitioned.length > 0,
      `${addressesOf(partitioned)} ${are(partitioned)} partitioned (MIG), and the inventory does not say how to offer the instances`,
      `write gpu: { vendor: nvidia, mig: single } or mixed; or switch it off: nvidia-smi -i ${partitioned[0]?.address} -mig 0`,
    );
  },
} satisfies HostCheck;

/** GPUs behind NVSwitch start no program before the fabric manager has set the switches up; its version is the driver's. */
export const gpuFabricManagerCheck = {
  name: 'gpu-fabric-manager',
  scope: 'host',
  summary: 'where GPUs are joined by NVSwitch, the fabric manager runs',
  fix: "install nvidia-fabricmanager in the driver's version, and enable it",
  check: (host, { gpu }) => {
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
  },
} satisfies HostCheck;

/** `kbs topology` and `kbs what-if` count what the inventory says. */
export const gpuCountCheck = {
  name: 'gpu-count',
  scope: 'host',
  warns: true,
  summary: 'a node has as many GPUs as `count` says, where the inventory says it',
  fix: 'correct `count` in the inventory, or look why a GPU is missing',
  check: (host, { gpu }) => {
    const found = gpusOf(host, gpu.devices).length;
    return failIf(
      isNode(host) && host.gpuCount !== undefined && found > 0 && found !== host.gpuCount,
      `the inventory says count: ${host.gpuCount}, and this machine has ${found}`,
      `write count: ${found}, or see which one is missing: lspci -nn`,
    );
  },
} satisfies HostCheck;
