/** What a host says of its GPUs, as `gpuFactsScript` prints it. What could not be asked is absent. */
export interface GpuFacts {
  /** Whether the PCI bus could be read; if not, `devices` says nothing. */
  readonly busRead: boolean;
  /** GPUs of NVIDIA and AMD on the PCI bus. Display adapters of hypervisors and BMCs are not among them. */
  readonly devices: readonly GpuDevice[];
  /** NVIDIA's switches between GPUs (NVSwitch) on the PCI bus. */
  readonly switches: number;
  /** Whether an IOMMU is switched on, as it must be where GPUs are handed to virtual machines. */
  readonly iommu: boolean;
  /** Paths of the device files of GPUs. */
  readonly nodes: readonly string[];
  /** Of machines with NVIDIA's GPUs only. */
  readonly nvidia?: NvidiaFacts;
}

export interface GpuDevice {
  /** `0000:65:00.0`. */
  readonly address: string;
  readonly vendor: 'nvidia' | 'amd';
  /** The PCI device id, four hex digits. */
  readonly id: string;
  /** The bound driver: `nvidia`, `nouveau`, `vfio-pci`, `amdgpu`; empty for none. */
  readonly driver: string;
  /** As the driver names it: `NVIDIA H100 80GB HBM3`. */
  readonly model?: string;
  /** MiB. */
  readonly memory?: number;
  /** Whether the GPU is partitioned (MIG); absent where it cannot be, or the driver did not answer. */
  readonly mig?: boolean;
}

export interface NvidiaFacts {
  /** The version of the driver in the kernel; absent where it is not loaded. */
  readonly loaded?: string;
  /** The version of the driver's module for this kernel on disk; absent where there is none. */
  readonly module?: string;
  /** Whether that module has a signature. */
  readonly signed: boolean;
  /** The version of libnvidia-ml by its file name; absent where it is not installed. */
  readonly library?: string;
  readonly nouveau: boolean;
  readonly secureBoot: 'on' | 'off' | 'unknown';
  /** Whether the headers of the running kernel are there, to build a module. */
  readonly headers: boolean;
  /** Whether nvidia-smi was asked and did not answer in time. */
  readonly silent: boolean;
  /** systemd's load state and active state of the fabric manager; of machines with NVSwitch only. */
  readonly fabricManager?: { readonly load: string; readonly active: string };
  /**
   * The packages with the driver: those that kbs has installed, else those that the host's package manager knows; empty
   * where there is another driver, or no package.
   */
  readonly packages: readonly string[];
}

/** Nothing is known: what is assumed of a host that was not observed. */
export const noGpuFacts: GpuFacts = { busRead: false, devices: [], switches: 0, iommu: false, nodes: [] };

/** Reads the lines of `gpuFactsScript`; `all` gives the values of a key. */
export const parseGpuFacts = (all: (key: string) => readonly string[]): GpuFacts => {
  const smi = all('gpusmi').filter((line) => line !== 'silent');
  const models = all('gpumodel').map(words);
  const devices = all('gpudevice').map((line) => device(words(line), smi, models));
  return {
    busRead: all('gpubus').includes('read'),
    devices,
    switches: all('gpuswitch').length,
    iommu: all('iommu').length > 0,
    nodes: all('gpunode'),
    ...(all('nvidiasecureboot').length > 0 ? { nvidia: nvidia(all) } : {}),
  };
};

const device = (
  [address = '', vendor = '', id = '', driver = '']: readonly string[],
  smi: readonly string[],
  models: readonly (readonly string[])[],
): GpuDevice => {
  const [, memory = '', mig = '', ...name] = fieldsOf(smi, address);
  const model =
    name.join(', ') ||
    models
      .find(([at]) => at === address)
      ?.slice(1)
      .join(' ');
  return {
    address,
    vendor: vendor === '0x1002' ? 'amd' : 'nvidia',
    id: id.replace(/^0x/, ''),
    driver,
    ...(model ? { model } : {}),
    ...(/^\d+$/.test(memory) ? { memory: Number(memory) } : {}),
    ...(mig === 'Enabled' || mig === 'Disabled' ? { mig: mig === 'Enabled' } : {}),
  };
};

/** A line of nvidia-smi, whose bus ids have eight digits of the domain: `00000000:65:00.0, 81559, Disabled, NVIDIA H100`. */
const fieldsOf = (smi: readonly string[], address: string): readonly string[] => {
  const short = (bus: string) => bus.toLowerCase().replace(/^0000(?=[0-9a-f]{4}:)/, '');
  return smi.map((line) => line.split(', ')).find(([bus = '']) => short(bus) === address) ?? [];
};

const nvidia = (all: (key: string) => readonly string[]): NvidiaFacts => {
  const one = (key: string) => all(key)[0] || undefined;
  const secureBoot = one('nvidiasecureboot');
  const [load, active] = words(one('fabricmanager') ?? '');
  const [loaded, module, library] = [one('nvidialoaded'), one('nvidiamodule'), one('nvidialibrary')];
  return {
    ...(loaded === undefined ? {} : { loaded }),
    ...(module === undefined ? {} : { module }),
    signed: one('nvidiasigner') !== undefined,
    ...(library === undefined ? {} : { library }),
    nouveau: all('nouveau').length > 0,
    secureBoot: secureBoot === 'on' || secureBoot === 'off' ? secureBoot : 'unknown',
    headers: all('kernelheaders').length > 0,
    silent: all('gpusmi').includes('silent'),
    ...(load === undefined || active === undefined ? {} : { fabricManager: { load, active } }),
    packages: words(one('nvidiapackages') ?? ''),
  };
};

const words = (line: string): readonly string[] => line.split(/\s+/).filter(Boolean);
