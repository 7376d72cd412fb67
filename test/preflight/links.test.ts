import { describe, expect, test } from 'vitest';
import { assumedFacts, type Facts } from '../../src/hosts/facts/facts.js';
import type { Cluster, ClusterHost } from '../../src/inventory/cluster.js';
import { forwardingCheck, mtuCheck, mtusCheck } from '../../src/preflight/links.js';
import { clusterOf, hostOf } from '../support/cluster.js';

const base = clusterOf();
const [controller, worker, rack, edge] = base.hosts as [ClusterHost, ClusterHost, ClusterHost, ClusterHost];

/** The office with pods of another size than 1500 bytes. */
const withMtu = (mtu: number): Cluster =>
  clusterOf({
    network: {
      ...base.network,
      segments: base.network.segments.map((each) => (each.name === 'office' ? { ...each, mtu } : each)),
    },
  });

const facts = (...links: readonly (readonly [name: string, mtu: number, address: string])[]): Facts => ({
  ...assumedFacts,
  network: {
    rules: [],
    paths: [],
    hostsLines: [],
    resolved: [],
    connections: [],
    links: [
      { name: 'lo', mtu: 65536, addresses: ['127.0.0.1/8'], isClosed: false },
      ...links.map(([name, mtu, address]) => ({ name, mtu, addresses: [`${address}/24`], isClosed: false })),
    ],
  },
});

describe('an MTU', () => {
  test.each([
    ['of a common network is right', 1500, base, []],
    ['of a tunnel is right by itself', 1280, base, []],
    ['below that is refused', 576, base, ['eth0 has the MTU 576, below 1280, which every network should carry']],
    ['below that is right where the inventory says it', 1000, withMtu(1000), []],
  ])('%s', (_, mtu, cluster, expected) => {
    const found = mtuCheck.check(controller, facts(['eth0', mtu, controller.address]), cluster);
    expect(found.map(({ detail }) => detail)).toEqual(expected);
  });

  test('is not judged where it was not asked, nor of interfaces that the cluster does not use', () => {
    expect(mtuCheck.check(controller, assumedFacts, base)).toEqual([]);
    expect(mtuCheck.check(controller, facts(['eth1', 576, '10.9.9.9']), base)).toEqual([]);
  });
});

describe('the MTUs of a segment', () => {
  const office = (a: number, b: number) =>
    new Map([
      ['controller-00', facts(['eth0', a, controller.address])],
      ['worker-office-00', facts(['ens3', b, worker.address])],
    ]);
  const different = (sizes: string) => `interfaces in segment office have different MTUs, ${sizes}`;

  test.each<[string, ReadonlyMap<string, Facts>, Cluster, readonly unknown[]]>([
    ['that are the same say nothing', office(1500, 1500), base, []],
    ['that are larger than the packets of pods say nothing', office(9000, 9000), base, []],
    [
      'that differ are told, with what pods may send',
      office(1500, 1400),
      base,
      [
        {
          hosts: ['worker-office-00'],
          detail: different('1500: controller-00 (eth0); 1400: worker-office-00 (ens3)'),
          next: 'set the same MTU on all of them, or, if the network carries no more, write network.segments.office.mtu: 1400',
        },
      ],
    ],
    [
      'that differ above what pods send are told too: hosts themselves send larger packets',
      office(1500, 9000),
      base,
      [
        {
          hosts: ['controller-00'],
          detail: different('9000: worker-office-00 (ens3); 1500: controller-00 (eth0)'),
          next: 'set the same MTU on all of them',
        },
      ],
    ],
    [
      'that carry less than pods send are told',
      office(1450, 1450),
      base,
      [
        {
          hosts: ['controller-00', 'worker-office-00'],
          detail: 'pods of segment office send packets of 1500 bytes, and the interfaces there have the MTU 1450',
          next: 'write network.segments.office.mtu: 1450',
        },
      ],
    ],
    ['that carry what the inventory has pods send say nothing', office(1450, 1450), withMtu(1450), []],
    ['that were not asked say nothing', new Map([['worker-rack-00', assumedFacts]]), base, []],
  ])('%s', (_, seen, cluster, expected) => {
    expect(mtusCheck.check({ cluster, facts: seen })).toEqual(expected);
  });

  test('are those of a router in each of its segments', () => {
    const seen = new Map([
      ['worker-rack-00', facts(['eth0', 1500, rack.address])],
      ['edge', facts(['eth0', 1500, '192.168.10.1'], ['eth1', 1400, '192.168.20.1'])],
    ]);
    expect(edge.addresses.rack).toBe('192.168.20.1');
    expect(mtusCheck.check({ cluster: base, facts: seen }).map(({ detail }) => detail)).toEqual([
      'interfaces in segment rack have different MTUs, 1500: worker-rack-00 (eth0); 1400: edge (eth1)',
    ]);
  });
});

test('an interface that forwards nothing, while the kernel does, is refused where packets of pods come in', () => {
  const closed = (address: string): Facts => {
    const { network, ...rest } = facts(['eth0.7', 1500, address]);
    return {
      ...rest,
      ...(network && { network: { ...network, links: network.links.map((link) => ({ ...link, isClosed: true })) } }),
    };
  };
  const found = forwardingCheck.check(controller, closed(controller.address), base);
  expect(found.map(({ detail, next }) => [detail, next.split(',')[0]])).toEqual([
    [
      'eth0.7 forwards no packets, so none that come in there reach pods',
      'sysctl -w net.ipv4.conf.eth0/7.forwarding=1',
    ],
  ]);
  expect(forwardingCheck.check(edge, closed('192.168.20.1'), base)).toHaveLength(1);
  expect(forwardingCheck.check(controller, closed('10.9.9.9'), base)).toEqual([]);
  expect(forwardingCheck.check(controller, facts(['eth0', 1500, controller.address]), base)).toEqual([]);
  const balancer: ClusterHost = { ...hostOf({ ...controller, roles: ['load-balancer'] }) };
  const { podCidr: _, ...withoutPods } = balancer;
  expect(forwardingCheck.check(withoutPods, closed(controller.address), base)).toEqual([]);
});
