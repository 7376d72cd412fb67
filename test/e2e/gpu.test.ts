import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { referenceOf } from '../../src/artifacts/artifacts.js';
import { defaultBundle, openBundle } from '../../src/artifacts/bundle.js';
import { labReboot } from '../../src/lab/index.js';
import type { Verification } from '../../src/verify/verify.js';
import type { Preflight } from '../../src/workflows/preflight.js';
import { kubectl } from './support/kubectl.js';
import { makeProject, type Project } from './support/project.js';

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
  let images: { readonly plugin: string; readonly probe: string };
  const gpuHost = 'worker-gpu-00';
  const offered = () => kubectl(project, `get node ${gpuHost} -o jsonpath='{.status.allocatable.nvidia\\.com/gpu}'`);

  beforeAll(async () => {
    const bundle = await openBundle(defaultBundle('1.36.3'));
    images = { plugin: referenceOf(bundle, 'nvidia-device-plugin'), probe: referenceOf(bundle, 'probe') };
    project = await makeProject('e2e-gpu', inventory);
    await project.kbs('lab up');
    await project.kbs('apply --yes');
  });
  afterAll(() => project?.remove());

  test('is proved by a pod that asks for a GPU', async () => {
    const { findings } = await project.json<Verification>('verify');
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    expect(findings.filter(({ proof }) => /GPU/.test(proof))).toEqual([
      expect.objectContaining({ name: expect.stringContaining(gpuHost) }),
    ]);
  });

  test('gives a pod the GPU that it asks for, and no other', async () => {
    const pod = { restartPolicy: 'Never', ...askingFor(images.plugin, ['nvidia-smi', '-L']) };
    await create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'one', namespace: 'default' }, spec: pod });
    await kubectl(project, "wait pod/one --for=jsonpath='{.status.phase}'=Succeeded --timeout=60s");
    expect(await kubectl(project, 'logs one')).toMatch(/^GPU 0: NVIDIA A2 \(UUID: GPU-[0-9a-f-]{36}\)\n$/);
    await kubectl(project, 'delete pod one');
  });

  test('takes as many pods as it has GPUs, and the next waits with the reason', async () => {
    const labels = { app: 'three' };
    const template = { metadata: { labels }, spec: askingFor(images.probe) };
    await create({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'three', namespace: 'default' },
      spec: { replicas: 3, selector: { matchLabels: labels }, template },
    });
    await twoRun();
    const reason = `{.items[?(@.status.phase=="Pending")].status.conditions[?(@.type=="PodScheduled")].message}`;
    expect(await kubectl(project, `get pods -l app=three -o jsonpath='${reason}'`)).toContain(
      '1 Insufficient nvidia.com/gpu',
    );
    expect(await insidePods()).toEqual([seenBy(0), seenBy(1)]);
  });

  test('is the same after a reboot', async () => {
    await labReboot(`e2e-gpu/${gpuHost}`, 'power-cut');
    await expect.poll(offered, { timeout: 90_000, interval: 500 }).toBe('2');
    expect((await project.kbs('plan')).stdout).toContain('nothing to change');
    await twoRun();
    expect(await insidePods()).toEqual([seenBy(0), seenBy(1)]);
  });

  test.each<readonly [string, string, RegExp]>([
    ['no-driver', 'gpu-driver', /is not installed/],
    ['not-loaded', 'gpu-headers', /module is not built for kernel/],
    ['nouveau', 'gpu-nouveau', /the driver nouveau holds/],
    ['mismatch', 'gpu-library', /in the kernel is 570\.195\.03, and its library is 580\.95\.05/],
    ['lost 1', 'gpu-driver', /no longer reaches 0000:42:00\.0: it has fallen off the bus/],
    ['mig 0', 'gpu-mig', /0000:41:00\.0 is partitioned/],
  ])('names the fault %s before anything is changed', async (fault, check, says) => {
    await plant(fault);
    const { checks } = await project.json<Preflight>('preflight', 4);
    expect(checks.filter(({ ok }) => !ok)).toEqual([
      expect.objectContaining({ name: check, hosts: [gpuHost], detail: expect.stringMatching(says) }),
    ]);
  });

  test('offers one GPU less where one reports a fatal error', async () => {
    await plant('xid 1 79');
    await kubectl(project, 'delete pod -n kube-system -l k8s-app=nvidia-device-plugin');
    await expect.poll(offered, { timeout: 60_000, interval: 500 }).toBe('1');
  });

  test('keeps nothing of it once it has left', async () => {
    await project.kbs(`remove ${gpuHost} --force --yes`);
    const left = 'find /etc/cdi /run/cdi /usr/local /etc/systemd/system -name "*nvidia*" -o -name "*gpu-cdi*"';
    expect(await project.on(gpuHost, `${left} 2>/dev/null || :`)).toBe('');
    expect(await project.on(gpuHost, 'systemctl list-units --failed --no-legend')).toBe('');
  });

  const create = (object: object) => kubectl(project, 'create -f -', JSON.stringify(object));

  const twoRun = () =>
    kubectl(project, "wait deployment/three --for=jsonpath='{.status.readyReplicas}'=2 --timeout=90s");

  const plant = (fault: string) =>
    project.on(
      gpuHost,
      `sed -i '/^fault/d' /etc/lab-gpu; echo 'fault ${fault}' >> /etc/lab-gpu; systemctl restart lab-gpu`,
    );

  /** What each of the two running pods has, as its host sees it: environment, device nodes, library. */
  const insidePods = async () => {
    const seen = await project.on(
      gpuHost,
      `for process in $(grep -lxz 'HOSTNAME=three-.*' /proc/[0-9]*/environ 2>/dev/null | sort); do
  [ "$(cat "\${process%environ}comm")" = probe ] || continue
  {
    tr '\\0' '\\n' < "$process" | grep ^NVIDIA_VISIBLE
    cd "\${process%environ}root"
    ls -d dev/nvidia* usr/lib/*/libnvidia-ml.so.*
  } | tr '\\n' ' '
  echo
done`,
    );
    return seen.split('\n').filter(Boolean).toSorted();
  };

  /** The kubelet chooses by UUID; NVIDIA's CDI specification keeps its own runtime from adding GPUs a second time. */
  const seenBy = (minor: number): unknown =>
    expect.stringMatching(
      new RegExp(
        `^NVIDIA_VISIBLE_DEVICES=void dev/nvidia-uvm dev/nvidia-uvm-tools dev/nvidia${minor} dev/nvidiactl usr/lib/\\S+/libnvidia-ml\\.so\\.1 `,
      ),
    );
});

/** A pod that asks for one GPU, and tolerates the taint that keeps others away. */
const askingFor = (image: string, command?: readonly string[]) => ({
  terminationGracePeriodSeconds: 1,
  tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists' }],
  containers: [
    {
      name: 'main',
      image,
      imagePullPolicy: 'Never',
      ...(command === undefined ? {} : { command }),
      resources: { limits: { 'nvidia.com/gpu': '1' } },
    },
  ],
});
