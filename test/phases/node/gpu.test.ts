import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { assumedFacts, type Facts, type GpuDevice, type GpuFacts } from '../../../src/hosts/facts/facts.js';
import type { ClusterHost, NvidiaSettings } from '../../../src/inventory/cluster.js';
import { gpu } from '../../../src/phases/node/gpu.js';
import { gpuFactLabels, gpuLabels, pluginConfig } from '../../../src/phases/node/gpu-labels.js';
import { kindOf } from '../../../src/resources/registry.js';
import { reveal } from '../../../src/secret.js';
import { clusterOf, hostOf } from '../../support/cluster.js';
import { gpuHost, noDriver } from '../../support/gpus.js';
import { lacks } from '../../support/needs.js';
import { contextOf } from '../../support/site.js';

const hostWith = (nvidia: NvidiaSettings, rest: Partial<ClusterHost> = {}): ClusterHost => gpuHost({ nvidia, ...rest });

const h100: GpuDevice = {
  address: '0000:65:00.0',
  vendor: 'nvidia',
  id: '2330',
  driver: 'nvidia',
  model: 'NVIDIA H100 80GB HBM3',
  memory: 81559,
};

const facts = (gpu: Partial<GpuFacts>) => ({ ...assumedFacts, gpu: { ...assumedFacts.gpu, ...gpu } });

const labelsOf = (host: ClusterHost, seen: Pick<Facts, 'gpu'>) => ({
  ...gpuLabels(host),
  ...gpuFactLabels(host, seen),
});

describe('labels', () => {
  test('say what GPU feature discovery says', () => {
    const seen = facts({
      devices: [h100, { ...h100, address: '0000:66:00.0' }, { ...h100, address: '0000:67:00.0', driver: 'vfio-pci' }],
      nvidia: { ...noDriver, loaded: '570.124.06' },
    });
    expect(labelsOf(hostWith({ driver: 'host', timeSlicing: 4 }), seen)).toEqual({
      'nvidia.com/gpu.present': 'true',
      'nvidia.com/device-plugin.config': 'shared-4',
      'nvidia.com/gpu.sharing-strategy': 'time-slicing',
      'nvidia.com/gpu.replicas': '4',
      'nvidia.com/mig.strategy': 'none',
      'nvidia.com/gpu.count': '2',
      'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3-SHARED',
      'nvidia.com/gpu.memory': '81559',
      'nvidia.com/cuda.driver-version.full': '570.124.06',
      'nvidia.com/cuda.driver-version.major': '570',
      'nvidia.com/cuda.driver-version.minor': '124',
      'nvidia.com/cuda.driver-version.revision': '06',
    });
  });

  test('leave out what was not observed', () => {
    expect(labelsOf(hostWith({ driver: 'host' }), assumedFacts)).toEqual({
      'nvidia.com/gpu.present': 'true',
      'nvidia.com/device-plugin.config': 'exclusive',
      'nvidia.com/gpu.sharing-strategy': 'none',
      'nvidia.com/gpu.replicas': '1',
      'nvidia.com/mig.strategy': 'none',
    });
  });

  test('hold only what a label may hold, whatever a driver calls its GPU', () => {
    const labels = labelsOf(
      hostWith({ driver: 'host' }),
      facts({ devices: [{ ...h100, model: ' *"${X}\u001b[0m (π) ' }] }),
    );
    expect(labels['nvidia.com/gpu.product']).toMatch(/^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/);
  });

  test("name AMD's GPUs too, and no other host's", () => {
    const amd = hostOf({ name: 'a', address: '192.168.20.9', segment: 'rack', podCidr: '10.244.9.0/24', gpu: 'amd' });
    const seen = facts({ devices: [{ address: '0000:08:00.0', vendor: 'amd', id: '74a1', driver: 'amdgpu' }] });
    expect(labelsOf(amd, seen)).toEqual({
      'feature.node.kubernetes.io/amd-gpu': 'true',
      'amd.com/gpu.device-id': '74a1',
    });
    expect(labelsOf({ ...amd, gpu: 'nvidia', podCidr: undefined } as unknown as ClusterHost, seen)).toEqual({});
  });
});

test.each<[Partial<NvidiaSettings>, string]>([
  [{}, 'exclusive'],
  [{ mig: 'none' }, 'exclusive'],
  [{ timeSlicing: 4 }, 'shared-4'],
  [{ mig: 'mixed' }, 'exclusive-mig-mixed'],
  [{ timeSlicing: 2, mig: 'single' }, 'shared-2-mig-single'],
])('%j is the configuration %s', (settings, name) => expect(pluginConfig(settings)).toBe(name));

describe('the driver', () => {
  const packagesOf = (driver: NvidiaSettings['driver'], packages: readonly string[]) => {
    const host = hostWith({ driver });
    const seen = facts({ nvidia: { ...noDriver, packages } });
    const context = { ...contextOf(clusterOf({ hosts: [host] })), facts: () => seen };
    return gpu.resources(host, context).flatMap((one) => (one.kind === 'package' ? [one.names] : []));
  };

  test('is left as it is', () => expect(packagesOf('host', ['nvidia-kernel-dkms'])).toEqual([]));
  test('comes from the distribution where the inventory says so', () =>
    expect(packagesOf('distribution', ['nvidia-kernel-dkms', 'nvidia-smi'])).toEqual([
      ['nvidia-kernel-dkms', 'nvidia-smi'],
    ]));
  test('is not installed over another one', () => expect(packagesOf('distribution', [])).toEqual([]));
});

describe.skipIf(lacks('root'))('the CDI specification', () => {
  const host = hostWith({ driver: 'host' });
  const resources = gpu.resources(host, contextOf(clusterOf({ hosts: [host] })));
  const script = resources.flatMap((one) => (one.kind === 'file' ? [reveal(one.content)] : [])).join('');
  const specification = resources.find((one) => one.kind === 'task');

  /** Runs shell on a machine with a stand-in for nvidia-ctk and no processes but its own; `gpu-cdi` is the script. */
  const on = async (shell: string) => {
    const { stdout } = await execa('unshare', ['--mount', '--pid', '--fork', '--mount-proc', 'sh', '-eu'], {
      input: `mount -t tmpfs none /etc; mkdir /etc/cdi
mount -t tmpfs none /proc/driver; mkdir /proc/driver/nvidia
mount -t tmpfs none /usr/local/lib; mkdir /usr/local/lib/kbs
mount -t tmpfs none /usr/local/bin
cat > /usr/local/lib/kbs/gpu-cdi <<'END_OF_SCRIPT'
${script}
END_OF_SCRIPT
chmod +x /usr/local/lib/kbs/gpu-cdi
ln -s /usr/local/lib/kbs/gpu-cdi /usr/local/bin/gpu-cdi
cat > /usr/local/bin/nvidia-ctk <<'END_OF_TOOL'
#!/bin/sh
case "$*" in
  system*) exit 1 ;;
  '--quiet cdi generate --nvidia-cdi-hook-path=/usr/local/bin/nvidia-cdi-hook') ;;
  *) exit 2 ;;
esac
[ -e /etc/broken ] && { echo half; exit 1; }
echo "made for $(cat /proc/driver/nvidia/version)"
END_OF_TOOL
chmod +x /usr/local/bin/nvidia-ctk
echo 570.1 > /proc/driver/nvidia/version
${shell}`,
    });
    return stdout.split('\n');
  };

  test('is made once, and again when the driver has changed', async () => {
    const printed =
      await on(`gpu-cdi current && echo current; gpu-cdi write; gpu-cdi write; head -n 1 /etc/cdi/nvidia.yaml
gpu-cdi current && echo current
echo 580.2 > /proc/driver/nvidia/version
gpu-cdi current || echo stale
gpu-cdi write; head -n 1 /etc/cdi/nvidia.yaml; stat -c %a /etc/cdi/nvidia.yaml; ls -A /etc/cdi`);
    expect(printed).toEqual([
      'described the GPUs in /etc/cdi/nvidia.yaml',
      'made for 570.1',
      'current',
      'stale',
      'described the GPUs in /etc/cdi/nvidia.yaml',
      'made for 580.2',
      '644',
      'nvidia.yaml',
    ]);
  });

  test('stays as it was where a new one cannot be made', async () => {
    const printed = await on(`gpu-cdi write; echo 580.2 > /proc/driver/nvidia/version; touch /etc/broken
gpu-cdi write || echo failed
head -n 1 /etc/cdi/nvidia.yaml; ls -A /etc/cdi`);
    expect(printed.slice(1)).toEqual(['failed', 'made for 570.1', 'nvidia.yaml']);
  });

  test('is made anew while the service keeps it, and the device plugin is told', async () => {
    const printed = await on(`gpu-cdi write
cat > /usr/local/bin/nvidia-device-plugin <<'END_OF_PLUGIN'
#!/bin/sh
trap 'echo told; exit 0' TERM
touch /etc/listens
while :; do sleep 0.05; done
END_OF_PLUGIN
chmod +x /usr/local/bin/nvidia-device-plugin
nvidia-device-plugin & plugin=$!
until [ -e /etc/listens ]; do sleep 0.05; done
echo 580.2 > /proc/driver/nvidia/version
gpu-cdi keep > /etc/said 2>&1 &
wait $plugin
head -n 1 /etc/cdi/nvidia.yaml`);
    expect(printed.slice(1)).toEqual(['told', 'made for 580.2']);
  });

  test('is a task that is done once it is current, and is undone without a trace', async () => {
    if (specification?.kind !== 'task') throw new Error('no task');
    const kind = kindOf(specification);
    const [apply] = kind.apply(specification, undefined);
    const [remove] = kind.remove(specification, { done: 'yes' });
    const query = kind.query(specification);
    const printed = await on(`${query}\n${apply?.script}\n${query}\n${remove?.script}\n${query}\nls -A /etc/cdi`);
    expect(printed).toEqual(['described the GPUs in /etc/cdi/nvidia.yaml', 'yes']);
  });
});
