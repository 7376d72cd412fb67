import { expect, test } from 'vitest';
import type { NvidiaSettings } from '../../../src/inventory/cluster.js';
import { gpuPlugin } from '../../../src/phases/cluster/gpu-plugin.js';
import { gpuLabels } from '../../../src/phases/node/gpu-labels.js';
import type { KubeObject } from '../../../src/resources/resource.js';
import { clusterOf, hostOf } from '../../support/cluster.js';
import { contextOf } from '../../support/site.js';

const clusterWith = (...settings: readonly Partial<NvidiaSettings>[]) =>
  clusterOf({
    hosts: [
      ...clusterOf().hosts,
      ...settings.map((nvidia, index) =>
        hostOf({
          name: `worker-gpu-0${index}`,
          address: `192.168.20.3${index}`,
          segment: 'rack',
          podCidr: `10.244.7${index}.0/24`,
          gpu: 'nvidia',
          nvidia: { driver: 'host', ...nvidia },
        }),
      ),
    ],
  });

const objectsOf = (...settings: readonly Partial<NvidiaSettings>[]): readonly KubeObject[] => {
  const cluster = clusterWith(...settings);
  const host = cluster.hosts[0];
  if (host === undefined) throw new Error('a cluster has hosts');
  return gpuPlugin.resources(host, contextOf(cluster)).flatMap((one) => (one.kind === 'object' ? one.objects : []));
};

test('a cluster without GPUs has no such phase, so its objects are pruned', () => {
  const [host] = clusterOf().hosts;
  expect(host && gpuPlugin.appliesTo(host, clusterOf())).toBe(false);
  expect(host && gpuPlugin.appliesTo(host, clusterWith({}))).toBe(true);
});

test('nodes that share alike have one DaemonSet, which selects them by their labels', () => {
  const settings = [{}, { timeSlicing: 4 }, { timeSlicing: 4 }, { mig: 'single' }] as const;
  const sets = objectsOf(...settings).filter(({ kind }) => kind === 'DaemonSet');
  expect(sets.map(({ metadata }) => metadata.name)).toEqual([
    'nvidia-device-plugin',
    'nvidia-device-plugin-shared-4',
    'nvidia-device-plugin-exclusive-mig-single',
  ]);
  const selectors = sets.map(
    ({ spec }) => (spec as { template: { spec: { nodeSelector: Record<string, string> } } }).template.spec.nodeSelector,
  );
  const matched = clusterWith(...settings)
    .hosts.filter(({ gpu }) => gpu === 'nvidia')
    .map((host) => {
      const labels = gpuLabels(host);
      return selectors.filter((selector) => Object.entries(selector).every(([key, value]) => labels[key] === value));
    });
  expect(matched.map((found) => found.length)).toEqual([1, 1, 1, 1]);
});

test('the configuration of the plugin says how many pods share a GPU', () => {
  const maps = objectsOf({}, { timeSlicing: 4 }).filter(({ kind }) => kind === 'ConfigMap');
  expect(maps.map(({ metadata, data }) => [metadata.name, data])).toEqual([
    ['nvidia-device-plugin', { 'config.yaml': 'version: v1\n' }],
    [
      'nvidia-device-plugin-shared-4',
      {
        'config.yaml': `version: v1
sharing:
  timeSlicing:
    failRequestsGreaterThanOne: true
    resources:
      - name: nvidia.com/gpu
        replicas: 4
`,
      },
    ],
  ]);
});
