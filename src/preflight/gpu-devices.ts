import type { GpuDevice } from '../hosts/facts/facts.js';
import type { ClusterHost } from '../inventory/cluster.js';

/** Those of the maker that the inventory names. */
export const gpusOf = ({ gpu }: ClusterHost, devices: readonly GpuDevice[]): readonly GpuDevice[] =>
  devices.filter(({ vendor }) => vendor === gpu);

/** Drivers that keep a device for virtual machines. */
export const passthroughDrivers: readonly string[] = ['vfio-pci', 'pci-stub', 'xen-pciback'];

export const addressesOf = (devices: readonly GpuDevice[]): string => devices.map(({ address }) => address).join(', ');

export const are = (devices: readonly GpuDevice[]): string => (devices.length === 1 ? 'is' : 'are');

/** By the name in os-release(5). */
export const isRedHat = (os: string): boolean => /red hat|rocky|alma|centos|fedora|oracle/i.test(os);

/** The command that makes it. */
export const newInitramfs = (os: string): string => (isRedHat(os) ? 'dracut --force' : 'update-initramfs -u');
