import type { Facts } from '../hosts/facts/facts.js';
import { type ClusterHost, isNode } from '../inventory/cluster.js';
import { addressesOf, are, passthroughDrivers } from './gpu-devices.js';

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
          `${addressesOf(handed)} ${are(handed)} bound to vfio-pci, and no IOMMU is on: no virtual machine can have ${handed.length === 1 ? 'it' : 'them'} before VT-d or AMD-Vi is on in the firmware, and on Intel intel_iommu=on on the kernel command line`,
        ]
      : [];
  const free = gpu.devices.filter(({ driver }) => !passthroughDrivers.includes(driver));
  const proposals = (['nvidia', 'amd'] as const).flatMap((vendor) => {
    const count = free.filter((one) => one.vendor === vendor).length;
    if (count === 0) return [];
    const what = `${count} ${vendor === 'nvidia' ? 'NVIDIA' : 'AMD'} GPU${count === 1 ? '' : 's'}`;
    return [`has ${what}: set gpu: ${vendor} in the inventory to give them to pods, or gpu: none to leave them alone`];
  });
  return [...noIommu, ...proposals];
};
