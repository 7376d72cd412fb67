import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { referenceOf } from '../../src/artifacts/artifacts.js';
import { defaultBundle, openBundle } from '../../src/artifacts/bundle.js';
import { labReboot } from '../../src/lab/index.js';
import type { CheckResult } from '../../src/verify/check-result.js';
import type { Preflight } from '../../src/workflows/preflight.js';
import { kubectl } from './support/kubectl.js';
import { makeProject, type Project } from './support/project.js';
import { whole } from './support/whole.js';

const inventory = `apiVersion: kbs/v1
cluster: e2e-gpu
kubernetes: { version: 1.36.3 }
network:
  segments:
    office: { cidr: 192.168.70.0/24, gateway: 192.168.70.1 }
    gpu: { cidr: 192.168.71.0/24, gateway: 192.168.71.1 }
hosts:
  controller-00: { address: 192.168.70.10, roles: [control-plane] }
  worker-gpu-00:
    address: 192.168.71.20
    roles: [worker]
    gpu: nvidia
    taints: ["nvidia.com/gpu=present:NoSchedule"]
`;

/** The host has the lab's stand-in for two GPUs and their driver; all of NVIDIA's programs above it are the real ones. */
describe('a node with two GPUs', () => {
  let project: Project;
  let image: string;
  const gpuHost = 'worker-gpu-00';
  const offered = `get node ${gpuHost} -o jsonpath='{.status.allocatable.nvidia\\.com/gpu}'`;

  beforeAll(async () => {
    image = referenceOf(await openBundle(defaultBundle('1.36.3')), 'nvidia-device-plugin');
    project = await makeProject('e2e-gpu', inventory);
    await project.kbs('lab up');
    await project.kbs('apply --yes');
  });
  afterAll(() => project?.remove());

  test('is proved by pods that ask for a GPU', async () => {
    const { findings } = await project.json<{ readonly findings: readonly CheckResult[] }>('verify');
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    expect(findings.filter(({ proof }) => proof === 'GPU').map(({ name }) => name)).toEqual([
      `${gpuHost} offers nvidia.com/gpu`,
      `${gpuHost}: a pod that asks for one gets it`,
      `${gpuHost}: a second pod gets another one or none`,
    ]);
  });

  test('takes as many pods as it has GPUs, and the next waits with the reason', async () => {
    await kubectl(project, 'create -f -', JSON.stringify(threePods(image)));
    await expect.poll(seenInPods, patience).toEqual([own(0), own(1)]);
    const reason = `{.items[?(@.status.phase=="Pending")].status.conditions[?(@.type=="PodScheduled")].message}`;
    expect(await kubectl(project, `get pods -l app=three -o jsonpath='${reason}'`)).toContain(
      '1 Insufficient nvidia.com/gpu',
    );
  });

  test.runIf(whole)('has them again after a reboot', async () => {
    const before = new Set((await running()).map(({ container }) => container));
    await labReboot(`e2e-gpu/${gpuHost}`, 'power-cut');
    await expect
      .poll(async () => (await running()).filter(({ container }) => !before.has(container)), patience)
      .toHaveLength(2);
    await expect.poll(seenInPods, patience).toEqual([own(0), own(1)]);
    expect((await project.kbs('plan')).stdout).toContain('nothing to change');
  });

  test.runIf(whole)('shares its GPUs by turns where the inventory says so', async () => {
    await project.write('kbs.yaml', inventory.replace('gpu: nvidia', 'gpu: { vendor: nvidia, timeSlicing: 2 }'));
    await project.kbs('apply --yes');
    await expect.poll(() => kubectl(project, offered), patience).toBe('4');
    await expect.poll(async () => (await running()).length, patience).toBe(3);
    await project.write('kbs.yaml', inventory);
    await project.kbs('apply --yes');
    await expect.poll(() => kubectl(project, offered), patience).toBe('2');
  });

  test.runIf(whole)('gives the files of a new driver to new containers, and leaves old ones alone', async () => {
    const before = new Set((await running()).map(({ container }) => container));
    await project.on(gpuHost, "echo 'driver 590.44.01' >> /etc/lab-gpu; systemctl restart lab-gpu");
    await expect
      .poll(() => project.on(gpuHost, 'grep -c 590.44.01 /etc/cdi/nvidia.yaml || :'), patience)
      .not.toBe('0\n');
    await project.on(gpuHost, 'systemctl restart containerd');
    await project.kbs('apply --yes');
    expect((await project.kbs('plan')).stdout).toContain('nothing to change');
    const label = "-o jsonpath='{.metadata.labels.nvidia\\.com/cuda\\.driver-version\\.full}'";
    expect(await kubectl(project, `get node ${gpuHost} ${label}`)).toBe('590.44.01');
    expect((await running()).filter(({ container }) => before.has(container))).toHaveLength(before.size);
    await kubectl(project, 'delete pods -l app=three --wait');
    await expect.poll(seenInPods, patience).toEqual([own(0, '590.44.01'), own(1, '590.44.01')]);
  });

  const faults: readonly (readonly [fault: string, check: string, says: RegExp])[] = [
    ['no-driver', 'gpu-driver', /is not installed/],
    ['lost 1', 'gpu-driver', /no longer reaches 0000:42:00\.0: it has fallen off the bus/],
    ['not-loaded', 'gpu-headers', /module is not built for kernel/],
    ['nouveau', 'gpu-nouveau', /the driver nouveau holds/],
    ['mismatch', 'gpu-library', /in the kernel is 570\.195\.03, and its library is 590\.44\.01/],
    ['mig 0', 'gpu-mig', /0000:41:00\.0 is partitioned/],
  ];

  test.each(whole ? faults : faults.slice(0, 2))(
    'names the fault %s before anything is changed',
    async (fault, check, says) => {
      await plant(fault);
      const { checks } = await project.json<Preflight>('preflight', 4);
      expect(checks.filter(({ ok }) => !ok)).toEqual([
        expect.objectContaining({ name: check, hosts: [gpuHost], detail: expect.stringMatching(says) }),
      ]);
    },
  );

  test.runIf(whole)('offers one GPU less where one reports a fatal error', async () => {
    await plant('xid 1 79');
    await expect.poll(() => kubectl(project, offered), patience).toBe('1');
  });

  test('keeps nothing of it once it has left', async () => {
    await project.kbs(`remove ${gpuHost} --yes`);
    const left = `find /etc /run/cdi /usr/local '(' -name '*nvidia*' -o -name '*cdi*' ')' 2>/dev/null || :`;
    expect(await project.on(gpuHost, left)).toBe('');
  });

  const plant = (fault: string) =>
    project.on(
      gpuHost,
      `sed -i '/^fault/d' /etc/lab-gpu; echo 'fault ${fault}' >> /etc/lab-gpu; systemctl restart lab-gpu`,
    );

  /** Pods with a GPU that run, by their containers: another id is another start. */
  const running = async () => {
    const fields = '{.metadata.name} {.status.containerStatuses[0].ready} {.status.containerStatuses[0].containerID}';
    const pods = await kubectl(project, `get pods -l app=three -o jsonpath='{range .items[*]}${fields}{"\\n"}{end}'`);
    return pods
      .split('\n')
      .map((line) => line.split(' '))
      .flatMap(([pod = '', ready, container = '']) => (ready === 'true' ? [{ pod, container }] : []));
  };

  /** What the driver's library, the device nodes and the environment tell each of them. */
  const seenInPods = async () => {
    const said = await Promise.all((await running()).map(({ pod }) => kubectl(project, `logs ${pod}`)));
    return said.toSorted();
  };

  /** Its own GPU, and no other. By `void` NVIDIA's own runtime would know that the GPU came by CDI. */
  const own = (minor: number, driver = '580.95.05'): unknown =>
    expect.stringMatching(
      `^{"nodes":\\["/dev/nvidia-uvm","/dev/nvidia-uvm-tools","/dev/nvidia${minor}","/dev/nvidiactl"\\],"visible":"void","driver":"${driver}","gpus":\\[{"uuid":"GPU-[0-9a-f-]{36}","name":"NVIDIA A2","memory":15356}\\]}$`,
    );
});

/** For what a controller or a kubelet does in its own time. */
const patience = { timeout: 90_000, interval: 500 };

const threePods = (image: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'three', namespace: 'default' },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'three' } },
    template: {
      metadata: { labels: { app: 'three' } },
      spec: {
        terminationGracePeriodSeconds: 1,
        tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists' }],
        containers: [
          {
            name: 'main',
            image,
            imagePullPolicy: 'Never',
            command: ['gpu-probe'],
            resources: { limits: { 'nvidia.com/gpu': '1' } },
          },
        ],
      },
    },
  },
});
