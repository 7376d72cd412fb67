import { describe, expect, it } from 'vitest';
import { assumedFacts, type Facts } from '../../src/hosts/facts/facts.js';
import type { Machine } from '../../src/hosts/facts/machine.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import { failuresOf, runChecks } from '../../src/preflight/run-checks.js';
import { clusterOf, hostOf } from '../support/cluster.js';

const guest: Machine = {
  kind: 'virtual',
  platform: 'kvm',
  clockSources: [],
  balloon: false,
  nested: false,
  macs: [],
  sshHostKeys: [],
};

/** What is warned of, with the advice; hosts are named a, b, c … in the order of their facts. */
const warned = (machines: readonly Partial<Facts>[], cluster: Cluster = clusterOf()): readonly string[] => {
  const facts = new Map(
    machines.map((each, index) => {
      const name = String.fromCharCode(97 + index);
      return [name, { ...assumedFacts, hostname: name, machineId: name, ...each }] as const;
    }),
  );
  const named = {
    ...cluster,
    hosts: cluster.hosts.map((host, index) => ({ ...host, name: [...facts.keys()][index] ?? host.name })),
  };
  const about = {
    workflow: 'apply',
    cluster: named,
    facts,
    keyring: { missing: [] },
    bundle: ['amd64'] as const,
    from: 0,
    to: 0,
    restores: false,
  };
  const found = runChecks(about).filter(({ warning }) => warning);
  expect(failuresOf(found)).toEqual([]);
  return found.map(({ name, detail, next }) => `${name}: ${detail} → ${next}`);
};

describe('a guest', () => {
  it.each<[string, Partial<Machine>, readonly RegExp[]]>([
    ['whose hypervisor is busy', { steal: 0.123 }, [/^steal: .* 12 % of its CPU time to others → /]],
    ['whose hypervisor is not', { steal: 0.1 }, []],
    ['whose steal is not known', {}, []],
    [
      'with a slow clock, where there is a better one',
      { clockSource: 'acpi_pm', clockSources: ['acpi_pm', 'kvm-clock'] },
      [/^clock-source: the clock source of this guest is acpi_pm, .* → echo kvm-clock > \/sys/],
    ],
    [
      'with a slow clock, and no other',
      { clockSource: 'hpet', clockSources: ['hpet', 'acpi_pm'] },
      [/^clock-source: .* hpet, .* CPU model with an invariant TSC$/],
    ],
    ['with the clock of its hypervisor', { clockSource: 'kvm-clock', clockSources: ['kvm-clock', 'acpi_pm'] }, []],
    ['that is no guest', { kind: 'physical', steal: 0.5, clockSource: 'hpet' }, []],
    ['of which nothing is known', { kind: undefined as never, steal: 0.5, clockSource: 'hpet' }, []],
  ])('%s is warned of or not', (_, machine, expected) => {
    const found = warned([{ machine: { ...guest, ...machine } }]);
    expect(found).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  });
});

describe('clones', () => {
  const uuid = '564d7c2e-0a6b-4c0e-9d4f-5b1f6f0c1a2b';
  const mac = '52:54:00:12:34:56';
  it.each<[string, readonly Partial<Facts>[], readonly string[]]>([
    [
      'with one product UUID',
      [{ machine: { ...guest, productUuid: uuid } }, { machine: { ...guest, productUuid: uuid } }],
      [`product-uuid: a and b have the same product UUID, ${uuid}: they are clones`],
    ],
    [
      'that are containers of one machine, with its UUID and its network card',
      ['container', 'container', 'physical'].map((kind) => ({
        machine: { ...guest, kind: kind as 'container', productUuid: uuid, macs: [mac] },
      })),
      [],
    ],
    ...[
      '00000000-0000-0000-0000-000000000000',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
      '03000200-0400-0500-0006-000700080009',
      'not settable',
    ].map((productUuid): [string, readonly Partial<Facts>[], readonly string[]] => [
      `where firmware says ${productUuid}`,
      [{ machine: { ...guest, productUuid } }, { machine: { ...guest, productUuid } }],
      [],
    ]),
    [
      'with one MAC address, told once',
      ['1', '2', '3'].map((last) => ({
        machine: { ...guest, macs: [`52:54:00:00:00:0${last}`, ...(last === '2' ? [] : [mac, '52:54:00:ff:ff:ff'])] },
      })),
      [`mac: a and c have the same MAC address, ${mac}: they are clones`],
    ],
    [
      'with one SSH host key',
      ['x', 'x', 'x'].map((key) => ({ machine: { ...guest, sshHostKeys: [`SHA256:${key}`] } })),
      ['ssh-host-key: a, b and c have the same SSH host key, SHA256:x: they are clones'],
    ],
    [
      'with one hostname',
      [{ hostname: 'debian' }, { hostname: 'debian' }],
      ['hostname: a and b have the same hostname, debian: they are clones'],
    ],
    ['of which nothing is known', [{ hostname: '' }, { hostname: '' }], []],
  ])('%s', (_, machines, expected) => {
    const found = warned(machines);
    expect(found.map((text) => text.split(' → ')[0])).toEqual(expected);
    for (const text of found) expect(text).toMatch(/ → on (one|all but one) of them: .+/);
  });
});

describe('hosts of one hypervisor', () => {
  const cluster = (roles: Readonly<Record<string, 'control-plane' | 'load-balancer'>>, on: Record<string, string>) =>
    clusterOf({
      hosts: Object.entries(roles).map(([name, role], index) => ({
        ...hostOf({ name, address: `192.168.10.${10 + index}`, segment: 'office', roles: [role] }),
        ...(on[name] === undefined ? {} : { hypervisor: on[name] }),
      })),
    });
  const three = { a: 'control-plane', b: 'control-plane', c: 'control-plane' } as const;

  it.each<[string, Cluster, readonly string[]]>([
    ['that is not named', cluster(three, {}), []],
    ['each', cluster(three, { a: 'one', b: 'two', c: 'three' }), []],
    [
      'with two of three etcd members',
      cluster(three, { a: 'one', b: 'two', c: 'one' }),
      ['hypervisor: a, c are guests of one hypervisor, one: etcd loses its majority with it'],
    ],
    [
      'with two of five etcd members',
      cluster({ ...three, d: 'control-plane', e: 'control-plane' }, { a: 'one', b: 'one' }),
      ['hypervisor: a, b are guests of one hypervisor, one: etcd loses 2 of 5 members with it'],
    ],
    [
      'with both load balancers',
      cluster({ a: 'load-balancer', b: 'load-balancer' }, { a: 'one', b: 'one' }),
      ["hypervisor: all load balancers, a, b, are guests of one hypervisor, one: the API's address fails with it"],
    ],
    [
      'with two of three load balancers',
      cluster({ a: 'load-balancer', b: 'load-balancer', c: 'load-balancer' }, { a: 'one', b: 'one' }),
      [],
    ],
  ])('%s', (_, of, expected) => {
    expect(warned([], of).map((text) => text.split(' → ')[0])).toEqual(expected);
  });
});
