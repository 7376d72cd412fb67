import { expect, test } from 'vitest';
import { statusText } from '../../../src/cli/text/status-text.js';
import type { Machine } from '../../../src/hosts/facts/machine.js';

const machine: Machine = {
  kind: 'virtual',
  platform: 'kvm',
  product: 'QEMU Q35',
  steal: 0.0314,
  clockSource: 'kvm-clock',
  clockSources: [],
  balloon: true,
  nested: true,
  macs: [],
  sshHostKeys: [],
};

const shown = (of: Partial<Machine> | undefined, verbose?: boolean): readonly string[] => {
  const host = { name: 'w-0', address: '192.0.2.20', roles: ['worker'], segment: 'lan', routes: '1/1' };
  const hosts = [of === undefined ? host : { ...host, machine: { ...machine, ...of } }];
  const status = { cluster: 'small', version: '1.36.3', healthy: true, reached: true, findings: [], certificates: [] };
  return statusText({ ...status, hosts }, verbose)
    .split('\n')
    .slice(1, -3)
    .map((line) => line.replace(/^.* {2}routes/, 'routes'));
};

test('a line says what sort of machine a host is, and -v what is known of it', () => {
  expect(shown({})).toEqual(['routes 1/1, virtual (kvm)']);
  expect(shown({}, true)).toEqual([
    'routes 1/1, virtual (kvm)',
    '    QEMU Q35, steal 3.1 %, clock source kvm-clock, memory balloon, nested virtualization',
  ]);
});

test('what kbs cannot tell is not said', () => {
  expect(shown(undefined, true)).toEqual(['routes 1/1']);
  expect(shown({ kind: 'physical', platform: undefined as never, balloon: false }, true)).toEqual([
    'routes 1/1, physical',
    '    QEMU Q35, steal 3.1 %, clock source kvm-clock, virtualization',
  ]);
});

test('a forwarded port is one line where the load balancers agree, else one for each thing they say', () => {
  const forward = (port: number, ok: boolean, detail: string) => ({
    port,
    to: 'workers',
    targetPort: 30443,
    ok,
    detail,
  });
  const balancer = (name: string, ...forwards: ReturnType<typeof forward>[]) => ({
    ...{ name, address: '192.0.2.3', roles: ['load-balancer'], segment: 'lan', routes: '0/0' },
    forwards,
  });
  const status = { cluster: 'small', version: '1.36.3', healthy: true, reached: true, findings: [], certificates: [] };
  const all = '2 of 2 targets answer';
  const text = statusText({
    ...status,
    hosts: [
      balancer('lb-0', forward(443, true, all), forward(80, false, 'no target answers: w-0')),
      balancer('lb-1', forward(443, true, all), forward(80, true, all)),
    ],
  });
  expect(text.split('\n').filter((line) => line.includes('→'))).toEqual([
    '✔ port 443 → workers:30443: 2 of 2 targets answer (lb-0, lb-1)',
    '✘ port 80 → workers:30443: no target answers: w-0 (lb-0)',
    '✔ port 80 → workers:30443: 2 of 2 targets answer (lb-1)',
  ]);
});
