import { expect, test } from 'vitest';
import type { Host } from '../../src/hosts/host.js';
import { probeChecks } from '../../src/verify/probe-checks.js';
import type { Probe } from '../../src/verify/probes.js';
import { runProbes } from '../../src/verify/run-probes.js';
import { clusterOf, hostOf } from '../support/cluster.js';

const probe = (name: string): Probe => ({
  network: 'pod',
  pod: `probe-pod-${name}`,
  node: hostOf({ name, segment: 'office', address: '192.0.2.1' }),
  address: '10.244.0.9',
});

/** A control plane whose API server passes these answers of each probe on. */
const answering = (answer: string): Host => ({
  name: 'cp',
  query: () => Promise.resolve({ code: 0, stdout: [answer, answer].join('\x1e'), stderr: '' }),
  mutate: () => Promise.reject(new Error('nothing is to be changed')),
});

test('a full packet that does not come back names the MTU and both hosts, and other failures do not', async () => {
  const probes = [probe('a'), probe('b')];
  const checks = probeChecks(clusterOf(), probes, 'ns', ['10.254.0.7']).slice(0, 4);
  const failed = { ok: false, detail: 'a packet of 1500 bytes: i/o timeout', ms: 2000 };
  const found = await runProbes(answering(JSON.stringify([failed, failed])), 'ns', probes, checks, {});
  expect(found.map(({ proof, detail }) => [proof, detail])).toEqual([
    ['pod to pod', failed.detail],
    [
      'path MTU',
      `${failed.detail}; where smaller packets arrive, the MTU of a link on the way is too small: see ip link on a and b`,
    ],
    ['pod to pod', failed.detail],
    [
      'path MTU',
      `${failed.detail}; where smaller packets arrive, the MTU of a link on the way is too small: see ip link on b and a`,
    ],
  ]);
});
