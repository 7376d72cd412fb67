import { describe, expect, it, test } from 'vitest';
import { targetResults } from '../../src/verify/monitoring.js';
import { monitored } from '../phases/monitoring/monitored.js';
import { clusterOf, hostOf } from '../support/cluster.js';

const cluster = monitored({
  hosts: [
    hostOf({ name: 'lb-00', address: '192.168.10.3', segment: 'office', roles: ['load-balancer'] }),
    ...clusterOf().hosts.filter(({ name }) => name === 'worker-rack-00'),
  ],
});

const target = (job: string, scrapeUrl: string, lastError = '', instance = 'one') => ({
  labels: { job, instance },
  scrapeUrl,
  health: lastError === '' ? 'up' : 'down',
  lastError,
  lastScrape: '2026-06-01T12:00:00Z',
});

const all = [
  target('node-exporter', 'https://192.168.10.3:9444/node', '', 'lb-00'),
  target('node-exporter', 'https://192.168.20.20:9444/node', '', 'worker-rack-00'),
  target('haproxy', 'https://192.168.10.3:9444/haproxy', '', 'lb-00'),
  target('kube-proxy', 'https://192.168.20.20:9444/kube-proxy', '', 'worker-rack-00'),
  target('kubelet', 'https://192.168.20.20:10250/metrics', '', '192.168.20.20:10250'),
  target('coredns', 'http://10.244.1.2:9153/metrics'),
];

const results = (activeTargets: readonly object[]) =>
  targetResults(cluster, JSON.stringify({ status: 'success', data: { activeTargets } }), '', 0);
const lines = (activeTargets: readonly object[]) =>
  results(activeTargets).map(({ name, ok, detail }) => `${name} ${ok} ${detail}`);

describe('the targets of Prometheus', () => {
  it('are told job by job, with those of the chart', () => {
    expect(lines(all)).toEqual([
      'node-exporter true 2 of 2 up',
      'haproxy true 1 of 1 up',
      'kube-proxy true 1 of 1 up',
      'kubelet true 1 of 1 up',
      'coredns true 1 of 1 up',
    ]);
  });

  it('that are down say why, by the name of the host', () => {
    const refused = target('haproxy', 'https://192.168.10.3:9444/haproxy', 'connection refused', 'lb-00');
    expect(lines(all.map((each) => (each.labels.job === 'haproxy' ? refused : each)))[1]).toBe(
      'haproxy false 0 of 1 up; lb-00: connection refused',
    );
  });

  it('that Prometheus does not have are missed', () => {
    expect(lines(all.slice(1))[0]).toBe('node-exporter false 1 of 2 up; lb-00: Prometheus has no such target');
    expect(lines(all.filter(({ labels }) => labels.job !== 'kubelet'))).toContain(
      'kubelet false 0 of 1 up; worker-rack-00: Prometheus has no such target',
    );
  });

  it('that were not read yet are not up', () => {
    expect(lines([...all, { ...target('new', 'http://10.244.1.9/metrics'), health: 'unknown' }]).at(-1)).toBe(
      'new false 0 of 1 up; one: not read yet',
    );
  });
});

test.each([
  [undefined, 'Error from server (ServiceUnavailable)', 'cannot tell: Error from server (ServiceUnavailable)'],
  ['<html>', '', 'cannot tell: its answer is not that of Prometheus'],
  ['{"data":{}}', '', 'cannot tell: its answer is not that of Prometheus'],
])('of %j nothing is concluded', (said, why, detail) => {
  expect(targetResults(cluster, said, why, 5)).toEqual([
    { proof: 'metrics targets', name: 'Prometheus', ok: false, detail, ms: 5 },
  ]);
});
