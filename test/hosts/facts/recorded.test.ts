import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Facts, parseFacts } from '../../../src/hosts/facts/facts.js';
import { gpuFactLabels } from '../../../src/phases/node/gpu-labels.js';
import { failuresOf, runChecks } from '../../../src/preflight/run-checks.js';
import { clusterOf } from '../../support/cluster.js';
import { gpuHost } from '../../support/gpus.js';

/** What a real virtual machine with a GPU handed to it has printed, its driver in an image of its own. */
describe('a machine with an NVIDIA H200', () => {
  let facts: Facts;

  beforeAll(async () => {
    facts = parseFacts(await readFile(new URL('recorded/nvidia-h200.txt', import.meta.url), 'utf8'));
  });

  test('says what GPU and what driver it has', () => {
    expect(facts.gpu).toEqual({
      busRead: true,
      devices: [
        {
          address: '0000:00:06.0',
          vendor: 'nvidia',
          id: '2335',
          driver: 'nvidia',
          model: 'NVIDIA H200',
          memory: 143771,
          mig: false,
        },
      ],
      switches: 0,
      iommu: false,
      nodes: ['/dev/nvidia0', '/dev/nvidiactl', '/dev/nvidia-uvm'],
      nvidia: {
        loaded: '580.159.04',
        library: '580.159.04',
        signed: false,
        nouveau: false,
        secureBoot: 'off',
        headers: false,
        silent: false,
        packages: [],
      },
    });
  });

  test('has nothing in the way of pods with GPUs', () => {
    const host = gpuHost();
    const results = runChecks({
      workflow: 'apply',
      cluster: clusterOf({ hosts: [host] }),
      facts: new Map([[host.name, facts]]),
      keyring: { ca: 'a', missing: [] },
      bundle: ['amd64'],
      from: 0,
      to: 0,
      restores: false,
    }).filter(({ name }) => name.startsWith('gpu-'));
    expect(results).not.toEqual([]);
    expect(failuresOf(results)).toEqual([]);
  });

  test('gets the labels of its GPU', () => {
    expect(gpuFactLabels(gpuHost(), facts)).toEqual({
      'nvidia.com/gpu.count': '1',
      'nvidia.com/gpu.product': 'NVIDIA-H200',
      'nvidia.com/gpu.memory': '143771',
      'nvidia.com/cuda.driver-version.full': '580.159.04',
      'nvidia.com/cuda.driver-version.major': '580',
      'nvidia.com/cuda.driver-version.minor': '159',
      'nvidia.com/cuda.driver-version.revision': '04',
    });
  });
});
