import { expect, test } from 'vitest';
import type { Host, Output } from '../../src/hosts/host.js';
import type { NvidiaSettings } from '../../src/inventory/cluster.js';
import { verifyGpus } from '../../src/verify/gpu.js';
import { clusterOf, hostOf } from '../support/cluster.js';

const name = 'worker-gpu-00';

const clusterWith = (nvidia: Partial<NvidiaSettings> = {}) =>
  clusterOf({
    hosts: [
      ...clusterOf().hosts,
      hostOf({
        name,
        address: '192.168.20.21',
        segment: 'rack',
        podCidr: '10.244.65.0/24',
        gpu: 'nvidia',
        nvidia: { driver: 'host', ...nvidia },
      }),
    ],
  });

interface Live {
  readonly capacity?: Readonly<Record<string, string>>;
  readonly allocatable?: Readonly<Record<string, string>>;
  /** GPUs that pods of other namespaces ask for, by phase of the pod. */
  readonly taken?: Readonly<Record<string, number>>;
  readonly plugin?: string;
  /** Of the first and the second pod: what `gpu-probe` prints, or why it does not run. */
  readonly pods?: readonly (Readonly<Record<string, unknown>> | string)[];
}

/** A control plane that answers for a cluster with one node that has GPUs. */
const scripted = ({ capacity = {}, allocatable = capacity, taken = {}, plugin, pods = [] }: Live) => {
  const made: unknown[] = [];
  const turns = ['first', 'second'];
  const query = async ({ script }: { readonly script: string }): Promise<Output> => {
    if (script.includes('get nodes')) {
      const others = Object.entries(taken).map(([phase, count]) => `${name} ${phase}\t{"nvidia.com/gpu":"${count}"}\t`);
      const stdout = [
        `controller-00 {"cpu":"2"}\t{"cpu":"2"}\n${name} ${JSON.stringify(capacity)}\t${JSON.stringify(allocatable)}\n`,
        `\ncontroller-00 Running\t{"nvidia.com/gpu":"9"}\n${others.join('\n')}\n`,
        plugin === undefined ? '' : `${name} ${plugin}\n`,
      ].join('\x1e');
      return { code: 0, stdout, stderr: '' };
    }
    const items = pods.map((pod, index) => ({
      metadata: { name: `gpu-${turns[index]}-${name}`, labels: { 'kbs.dev/probe': 'gpu' } },
      spec: { nodeName: name },
      status:
        typeof pod === 'string'
          ? { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', message: pod }] }
          : { phase: 'Running', conditions: [{ type: 'PodScheduled', status: 'True' }] },
    }));
    const logs = pods.map((pod) => (typeof pod === 'string' ? '\n' : `${JSON.stringify(pod)}\n`));
    return { code: 0, stdout: [JSON.stringify({ items }), ...logs].join('\x1e'), stderr: '' };
  };
  const host: Host = {
    name: 'controller-00',
    query,
    mutate: async ({ payloads }) => {
      const [payload] = payloads;
      if (payload && 'bytes' in payload) made.push(JSON.parse(Buffer.from(payload.bytes).toString()));
      return { code: 0, stdout: '', stderr: '' };
    },
  };
  return { host, made };
};

const report = (uuid: string, rest: object = {}) => ({
  nodes: ['/dev/nvidia0', '/dev/nvidiactl'],
  visible: 'void',
  driver: '570.124.06',
  gpus: [{ uuid, name: 'NVIDIA A2', memory: 15356 }],
  ...rest,
});

const found = async (live: Live, settings: Partial<NvidiaSettings> = {}) => {
  const results = await verifyGpus(clusterWith(settings), scripted(live).host, {
    namespace: 'kbs-verify-x',
    image: 'plugin',
    patience: 0,
    limits: {},
  });
  return results.map(
    ({ name: what, ok, detail }) => `${ok ? 'ok' : 'FAILED'} ${what.replace(name, 'node')}: ${detail}`,
  );
};

const two = { 'nvidia.com/gpu': '2', cpu: '8', memory: '16Gi' };
const files = '(/dev/nvidia0 /dev/nvidiactl, NVIDIA_VISIBLE_DEVICES=void)';
const gotIt = `ok node: a pod that asks for one gets it: NVIDIA A2, 15356 MiB, driver 570.124.06 ${files}`;

test.each<[string, Live, Partial<NvidiaSettings>, readonly string[]]>([
  [
    'two GPUs',
    { capacity: two, pods: [report('GPU-a'), report('GPU-b')] },
    {},
    [
      'ok node offers nvidia.com/gpu: 2, 2 of them free',
      gotIt,
      `ok node: a second pod gets another one or none: NVIDIA A2, 15356 MiB, driver 570.124.06 ${files}`,
    ],
  ],
  [
    'one free GPU, which the second pod was faster to get',
    {
      capacity: two,
      taken: { Running: 1, Succeeded: 5 },
      pods: ['0/4 nodes: Insufficient nvidia.com/gpu', report('GPU-b')],
    },
    {},
    [
      'ok node offers nvidia.com/gpu: 2, 1 of them free',
      gotIt,
      'ok node: a second pod gets another one or none: gets none: there is no other',
    ],
  ],
  [
    'GPUs that other pods hold',
    { capacity: two, taken: { Running: 1, Pending: 1 } },
    {},
    ['ok node offers nvidia.com/gpu: 2, and pods hold all of them'],
  ],
  [
    'a GPU that two pods share',
    { capacity: { 'nvidia.com/gpu': '4' }, pods: [report('GPU-a'), report('GPU-a')] },
    { timeSlicing: 4 },
    [
      'ok node offers nvidia.com/gpu: 4, 4 of them free',
      gotIt,
      'ok node: a second pod gets another one or none: shares GPU-a with the first one',
    ],
  ],
  [
    'a GPU that two pods have and must not share',
    { capacity: two, pods: [report('GPU-a'), report('GPU-a')] },
    {},
    [
      'ok node offers nvidia.com/gpu: 2, 2 of them free',
      gotIt,
      'FAILED node: a second pod gets another one or none: both pods have GPU-a, which the inventory does not share',
    ],
  ],
  [
    'a second GPU that no pod gets',
    { capacity: two, pods: [report('GPU-a'), 'Insufficient nvidia.com/gpu'] },
    {},
    [
      'ok node offers nvidia.com/gpu: 2, 2 of them free',
      gotIt,
      'FAILED node: a second pod gets another one or none: Pending: Insufficient nvidia.com/gpu',
    ],
  ],
  [
    'a device plugin that does not find the driver',
    { plugin: 'E1127 main.go:173] error starting plugins: CDI is only supported on NVML-based systems' },
    {},
    [
      'FAILED node offers nvidia.com/gpu: the node offers none: its device plugin last said: E1127 main.go:173] error starting plugins: CDI is only supported on NVML-based systems',
    ],
  ],
  [
    'no device plugin',
    {},
    {},
    ['FAILED node offers nvidia.com/gpu: the node offers none: no device plugin runs there'],
  ],
  [
    'a GPU that is not healthy',
    { capacity: two, allocatable: { 'nvidia.com/gpu': '1' }, pods: [report('GPU-a'), 'Insufficient nvidia.com/gpu'] },
    {},
    [
      'FAILED node offers nvidia.com/gpu: 1 of 2 can be allocated; the device plugin calls the others unhealthy, or is gone (kubectl -n kube-system logs -l k8s-app=nvidia-device-plugin)',
      gotIt,
      'ok node: a second pod gets another one or none: gets none: there is no other',
    ],
  ],
  [
    'a container without the library',
    {
      capacity: two,
      pods: [{ ...report('', { gpus: [], nodes: [] }), error: 'libnvidia-ml.so.1: ERROR_LIBRARY_NOT_FOUND' }],
    },
    {},
    [
      'ok node offers nvidia.com/gpu: 2, 2 of them free',
      'FAILED node: a pod that asks for one gets it: libnvidia-ml.so.1: ERROR_LIBRARY_NOT_FOUND (no /dev/nvidia*, NVIDIA_VISIBLE_DEVICES=void)',
    ],
  ],
  [
    'a container that sees more than it asked for',
    { capacity: two, pods: [report('', { gpus: [{ uuid: 'GPU-a' }, { uuid: 'GPU-b' }] })] },
    {},
    [
      'ok node offers nvidia.com/gpu: 2, 2 of them free',
      `FAILED node: a pod that asks for one gets it: it asked for one and sees 2 ${files}`,
    ],
  ],
  [
    'instances of a GPU under their own name',
    { capacity: { 'nvidia.com/gpu': '0', 'nvidia.com/mig-1g.10gb': '7' }, pods: [report('MIG-a'), report('MIG-b')] },
    { mig: 'mixed' },
    [
      'ok node offers nvidia.com/mig-1g.10gb: 7, 7 of them free',
      gotIt,
      `ok node: a second pod gets another one or none: NVIDIA A2, 15356 MiB, driver 570.124.06 ${files}`,
    ],
  ],
])('%s', async (_name, live, settings, expected) => {
  expect(await found(live, settings)).toEqual(expected);
});

test('the pods tolerate the taints of their node and leave the choice of the GPU to the scheduler', async () => {
  const { host, made } = scripted({ capacity: two, pods: [report('GPU-a'), report('GPU-b')] });
  await verifyGpus(clusterWith(), host, { namespace: 'kbs-verify-x', image: 'plugin', patience: 0, limits: {} });
  expect(made).toMatchObject([
    {
      items: ['first', 'second'].map((turn) => ({
        metadata: { name: `gpu-${turn}-${name}` },
        spec: {
          nodeSelector: { 'kubernetes.io/hostname': name },
          tolerations: [{ operator: 'Exists' }],
          containers: [{ image: 'plugin', command: ['gpu-probe'], resources: { limits: { 'nvidia.com/gpu': 1 } } }],
        },
      })),
    },
  ]);
});

test('a cluster without GPUs is asked nothing', async () => {
  const { host, made } = scripted({});
  const options = { namespace: 'kbs-verify-x', image: 'plugin', patience: 0, limits: {} };
  expect(await verifyGpus(clusterOf(), host, options)).toEqual([]);
  expect(made).toEqual([]);
});
