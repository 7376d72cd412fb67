import type { Facts, GpuFacts } from '../../hosts/facts/facts.js';
import { type ClusterHost, isNode, isNvidiaNode, type NvidiaSettings } from '../../inventory/cluster.js';

/**
 * Labels of a node with GPUs that follow from the inventory, in the names of NVIDIA's GPU feature discovery and of AMD's
 * operator.
 */
export const gpuLabels = (host: ClusterHost): Readonly<Record<string, string>> => {
  if (!isNode(host)) return {};
  if (host.gpu === 'amd') return { 'feature.node.kubernetes.io/amd-gpu': 'true' };
  if (!isNvidiaNode(host)) return {};
  const { timeSlicing, mig = 'none' } = host.nvidia ?? {};
  return {
    'nvidia.com/gpu.present': 'true',
    'nvidia.com/device-plugin.config': pluginConfig(host.nvidia),
    'nvidia.com/gpu.sharing-strategy': timeSlicing === undefined ? 'none' : 'time-slicing',
    'nvidia.com/gpu.replicas': String(timeSlicing ?? 1),
    'nvidia.com/mig.strategy': mig,
  };
};

/** Those that follow from what the host says of its GPUs. What the facts do not say has no label. */
export const gpuFactLabels = (host: ClusterHost, { gpu }: Pick<Facts, 'gpu'>): Readonly<Record<string, string>> => {
  if (isNvidiaNode(host)) return nvidiaLabels(host.nvidia, gpu);
  if (!isNode(host) || host.gpu !== 'amd') return {};
  const [first] = gpu.devices.filter(({ vendor }) => vendor === 'amd');
  return first === undefined ? {} : { 'amd.com/gpu.device-id': first.id };
};

/** The name of a node's configuration of the device plugin: `exclusive`, `shared-4`, `exclusive-mig-single`. */
export const pluginConfig = ({ timeSlicing, mig = 'none' }: Partial<NvidiaSettings> = {}): string =>
  `${timeSlicing === undefined ? 'exclusive' : `shared-${timeSlicing}`}${mig === 'none' ? '' : `-mig-${mig}`}`;

const nvidiaLabels = (settings: NvidiaSettings | undefined, gpu: GpuFacts): Readonly<Record<string, string>> => {
  const { timeSlicing } = settings ?? {};
  const devices = gpu.devices.filter(({ vendor, driver }) => vendor === 'nvidia' && driver === 'nvidia');
  // A GPU that is on no PCI bus still has a device file.
  const count = devices.length || gpu.nodes.filter((node) => /^\/dev\/nvidia\d+$/.test(node)).length;
  const model = devices.find((one) => one.model !== undefined)?.model;
  const memory = devices.find((one) => one.memory !== undefined)?.memory;
  return {
    ...(count === 0 ? {} : { 'nvidia.com/gpu.count': String(count) }),
    ...(model === undefined
      ? {}
      : { 'nvidia.com/gpu.product': labelValue(timeSlicing === undefined ? model : `${model}-SHARED`) }),
    ...(memory === undefined ? {} : { 'nvidia.com/gpu.memory': String(memory) }),
    ...driverLabels(gpu.nvidia?.loaded),
  };
};

const driverLabels = (version: string | undefined): Readonly<Record<string, string>> => {
  if (version === undefined) return {};
  const [major = '', minor = '', revision = ''] = version.split('.');
  return {
    'nvidia.com/cuda.driver-version.full': labelValue(version),
    'nvidia.com/cuda.driver-version.major': labelValue(major),
    'nvidia.com/cuda.driver-version.minor': labelValue(minor),
    'nvidia.com/cuda.driver-version.revision': labelValue(revision),
  };
};

/** What a label may hold: at most 63 letters, digits and inner `-`, `_` and `.`; what a driver says may be anything. */
const labelValue = (text: string): string =>
  text
    .replaceAll(/[^A-Za-z0-9_.-]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^[_.-]+|[_.-]+$/g, '');
