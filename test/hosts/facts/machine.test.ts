import { execa } from 'execa';
import { expect, test } from 'vitest';
import { type Machine, machineScript, parseMachine } from '../../../src/hosts/facts/machine.js';

const bare: Machine = { clockSources: [], balloon: false, nested: false, macs: [], sshHostKeys: [] };

test.each<[string, string, Machine]>([
  [
    'a guest',
    `machine vm kvm
machine container none
machine cpu 250 1000
machine clock kvm-clock
machine clocks kvm-clock tsc acpi_pm
machine balloon yes
machine nested yes
machine product QEMU Standard PC (Q35 + ICH9, 2009)
machine uuid 564D7C2E-0A6B-4C0E-9D4F-5B1F6F0C1A2B
machine mac 52:54:00:12:34:5A
machine hostkey SHA256:abc
machine hostkey SHA256:def`,
    {
      kind: 'virtual',
      platform: 'kvm',
      steal: 0.25,
      clockSource: 'kvm-clock',
      clockSources: ['kvm-clock', 'tsc', 'acpi_pm'],
      balloon: true,
      nested: true,
      product: 'QEMU Standard PC (Q35 + ICH9, 2009)',
      productUuid: '564d7c2e-0a6b-4c0e-9d4f-5b1f6f0c1a2b',
      macs: ['52:54:00:12:34:5a'],
      sshHostKeys: ['SHA256:abc', 'SHA256:def'],
    },
  ],
  ['a machine of its own', 'machine vm none\nmachine container none', { ...bare, kind: 'physical' }],
  ['a container on a guest', 'machine vm kvm\nmachine container lxc', { ...bare, kind: 'container', platform: 'lxc' }],
  ['what no program tells', 'machine clock tsc', { ...bare, clockSource: 'tsc' }],
  ['counters that make no sense', 'machine vm none\nmachine cpu x 0', { ...bare, kind: 'physical' }],
])('%s is read', (_, said, machine) => {
  expect(parseMachine(`hostname x\n${said}\nmachineid y`)).toEqual(machine);
});

test('a host that was not asked is no machine', () => {
  expect(parseMachine('hostname x\nmachineid y')).toBeUndefined();
});

test('the script reads what this machine has', async () => {
  const { stdout } = await execa('sh', ['-euc', machineScript]);
  const machine = parseMachine(stdout);
  expect(machine?.steal).toBeGreaterThanOrEqual(0);
  expect(machine?.steal).toBeLessThanOrEqual(1);
  for (const mac of machine?.macs ?? []) expect(mac).toMatch(/^[0-9a-f]{2}(:[0-9a-f]{2})+$/);
  for (const key of machine?.sshHostKeys ?? []) expect(key).toMatch(/^SHA256:/);
});
