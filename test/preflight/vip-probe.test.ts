import { expect, test } from 'vitest';
import { failuresOf, runProbeChecks } from '../../src/preflight/run-checks.js';
import { parseVipProbe } from '../../src/preflight/vip-probe.js';
import { clusterOf, hostOf } from '../support/cluster.js';

const question = { address: '192.168.10.3', vip: '192.168.10.5', routerId: 5, device: 'eth0' };
const cluster = clusterOf({
  hosts: ['192.168.10.3', '192.168.10.4'].map((address) =>
    hostOf({ name: `lb-${address}`, address, segment: 'office', roles: ['load-balancer'] }),
  ),
});
const said = (output: string, skipped: readonly string[] = [], error = ''): readonly string[] =>
  failuresOf(
    runProbeChecks(
      new Map([['lb-00', { question, received: parseVipProbe(output), error }]]),
      cluster,
      new Set(skipped),
    ),
  ).map(({ message }) => message);

test.each([
  ['silence', 'listened\n', []],
  [
    'an owner',
    'owner 52:54:00:12:34:56\nlistened\n',
    ['vip: 192.168.10.5 is in use: 52:54:00:12:34:56 answers for it'],
  ],
  [
    'another router with the same id',
    'listened\nadvert 192.168.10.1 5 192.168.10.254 192.168.10.253\n',
    ['router-id: 192.168.10.1 uses the virtual router id 5 for 192.168.10.254, 192.168.10.253'],
  ],
  ['another router with another id', 'listened\nadvert 192.168.10.1 6 192.168.10.254\n', []],
  ['another load balancer of the cluster', 'listened\nadvert 192.168.10.4 5 192.168.10.6\n', []],
  ['the same address by another machine, which answers for it', 'listened\nadvert 192.168.10.9 5 192.168.10.5\n', []],
  [
    'an end before its time',
    'owner 52:54:00:12:34:56\n',
    [
      'vip: cannot tell whether 192.168.10.5 is free: perl is not installed',
      'router-id: cannot tell whether the virtual router id 5 is free: perl is not installed',
    ],
  ],
  [
    'no Perl',
    '',
    [
      'vip: cannot tell whether 192.168.10.5 is free: perl is not installed',
      'router-id: cannot tell whether the virtual router id 5 is free: perl is not installed',
    ],
  ],
])('%s is judged', (_, output, expected) => expect(said(output)).toEqual(expected));

test('a probe that failed says why', () => {
  expect(said('', ['router-id'], 'VRRP: Operation not permitted')).toEqual([
    'vip: cannot tell whether 192.168.10.5 is free: VRRP: Operation not permitted',
  ]);
});

test('each can be skipped by its name', () => {
  const both = 'listened\nowner 52:54:00:12:34:56\nadvert 192.168.10.1 5 192.168.10.254\n';
  expect(said(both)).toHaveLength(2);
  expect(said(both, ['vip'])).toEqual([expect.stringMatching(/^router-id: /)]);
  expect(said(both, ['vip', 'router-id'])).toEqual([]);
});
