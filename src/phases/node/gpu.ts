import { nvidiaLibraries } from '../../hosts/facts/facts.js';
import { raw, type Script, sh } from '../../hosts/shell.js';
import { type ClusterHost, isNvidiaNode } from '../../inventory/cluster.js';
import type { FileResource, Resource } from '../../resources/resource.js';
import { render } from '../../templates/render.js';
import { artifactsOf } from '../artifacts-of.js';
import { fingerprint } from '../fingerprint.js';
import type { Phase, PhaseContext } from '../phase.js';
import { archives } from './images.js';
import { binaries } from './runtime.js';

/**
 * What containerd needs to hand NVIDIA's GPUs to containers: their description as CDI devices, which a service keeps true
 * over reboots and updates of the driver. The driver itself stays as it is, unless the inventory wants the distribution's.
 */
export const gpu: Phase = {
  name: 'gpu',
  ensures: "containerd can hand the host's GPUs to containers",
  appliesTo: isNvidiaNode,
  resources(host, context) {
    const tools = binaries('/usr/local/bin', ['nvidia-ctk', 'nvidia-cdi-hook'], host, context);
    return [
      ...driver(host, context),
      ...tools,
      { kind: 'directory', path: '/etc/cdi', mode: '0755', shared: true },
      script,
      specification,
      {
        kind: 'unit',
        name: 'kbs-gpu-cdi.service',
        runs: 'service',
        text: render('gpu-cdi.service', {}),
        inputs: [fingerprint([script]), artifactsOf(host, context).binary('nvidia-ctk').sha256],
      },
      { kind: 'image', name: 'nvidia', archives: archives(['nvidia-device-plugin'], host, context) },
    ];
  },
  // What the device plugin describes for itself; a reboot would remove it too.
  cleanup: () => ({
    remove: sh`rm -f /run/cdi/k8s.device-plugin.nvidia.com-*; rmdir /run/cdi 2>/dev/null || :`,
  }),
};

const path = '/usr/local/lib/kbs/gpu-cdi';
const script: FileResource = {
  kind: 'file',
  path,
  mode: '0755',
  content: render('gpu-cdi.sh', { libraries: nvidiaLibraries.join(' ') }),
};

const specification: Resource = {
  kind: 'task',
  name: 'CDI specification of the GPUs',
  check: sh`[ -x ${path} ] && ${path} current`,
  run: sh`${path} write`,
  undo: sh`rm -f /etc/cdi/nvidia.yaml`,
};

/** The packages are those that the host knows, so an unobserved host has none; another driver that is there stays. */
const driver = ({ name, nvidia }: ClusterHost, { facts }: PhaseContext): readonly Resource[] => {
  const { packages = [] } = facts(name).gpu.nvidia ?? {};
  if (nvidia?.driver !== 'distribution' || packages.length === 0) return [];
  return [
    { kind: 'package', names: packages },
    { kind: 'task', name: "NVIDIA's driver is loaded", check: isLoaded, run: load },
  ];
};

const isLoaded: Script = sh`[ -e /proc/driver/nvidia/version ]`;

const load: Script = sh`modprobe nvidia || modprobe nvidia-current || :
if ! ${raw(isLoaded)}; then
  echo "NVIDIA's driver is installed, and the kernel does not load it: see dmesg | tail, and dkms status;" >&2
  echo 'where the module was built for a newer kernel, reboot and run kbs again' >&2
  exit 1
fi`;
