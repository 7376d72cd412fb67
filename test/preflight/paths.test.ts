import { describe, expect, test } from 'vitest';
import { assumedFacts, type Facts } from '../../src/hosts/facts/facts.js';
import { parseNetwork } from '../../src/hosts/facts/network.js';
import type { Cluster, ClusterHost } from '../../src/inventory/cluster.js';
import type { HostCheck } from '../../src/preflight/check.js';
import { nextHopsCheck, sourceAddressCheck, sourceAddressesCheck } from '../../src/preflight/paths.js';
import { clusterOf, hostOf } from '../support/cluster.js';

const members = [10, 11, 12].map((last, index) =>
  hostOf({
    name: `cp-${index}`,
    address: `192.168.10.${last}`,
    segment: 'office',
    roles: ['control-plane'],
    podCidr: `10.244.${index}.0/24`,
  }),
);
const worker = hostOf({ name: 'w-0', address: '192.168.20.20', segment: 'rack', podCidr: '10.244.64.0/24' });
const cluster = clusterOf({ hosts: [...members, worker] });
/** Without pods on control planes none is a next hop. */
const withoutPods = clusterOf({ hosts: members.map(({ podCidr: _, ...host }) => host) });
const [first] = members as [ClusterHost];

/** Answers of `ip route get`, as `networkScript` prints them. */
const facts = (...answers: readonly string[]): Facts => ({
  ...assumedFacts,
  network: parseNetwork(answers.map((answer) => `path ${answer}`).join('\n')),
});

const said = (
  { check }: Pick<HostCheck, 'check'>,
  seen: Facts,
  host = first,
  of: Cluster = cluster,
): readonly string[] => check(host, seen, of).map(({ detail }) => detail);

describe('what a control plane sends to the others', () => {
  const own = ['192.168.10.11 dev eth0 src 192.168.10.10 uid 0', '192.168.10.12 dev eth0 src 192.168.10.10 uid 0'];
  const other = own.map((answer) => answer.replace('src 192.168.10.10', 'src 192.168.10.110'));

  test.each<[string, readonly string[], ClusterHost, readonly string[]]>([
    ['from the address of the inventory is right', own, first, []],
    [
      'from the first address of its interface is refused, once for all that it goes to',
      other,
      first,
      [
        'what the host sends to cp-1, cp-2 comes from 192.168.10.110 on eth0, and not from 192.168.10.10: etcd there would refuse it',
      ],
    ],
    [
      'from the address of another interface in the network is refused',
      [own[0] ?? '', '192.168.10.12 dev eth1 src 192.168.10.9 uid 0'],
      first,
      [
        'what the host sends to cp-2 comes from 192.168.10.9 on eth1, and not from 192.168.10.10: etcd there would refuse it',
      ],
    ],
    ['is not judged where it was not asked', [], first, []],
    ['is no matter of a worker', other, worker, []],
  ])('%s', (_, answers, host, expected) => {
    expect(said(sourceAddressCheck, facts(...answers), host)).toEqual(expected);
  });

  test('needs a route, which is told once where it is one to pods too', () => {
    const none = facts('192.168.10.11 RTNETLINK answers: Network is unreachable', own[1] ?? '');
    expect(said(sourceAddressCheck, none)).toEqual([]);
    expect(said(sourceAddressCheck, none, first, withoutPods)).toEqual([
      'no route leads to cp-1 (192.168.10.11), which has a member of etcd: Network is unreachable',
    ]);
  });

  test('is told with the address that the inventory may have instead', () => {
    expect(sourceAddressCheck.check(first, facts(...other), cluster)[0]?.next).toMatch(
      /^write 192\.168\.10\.110 as `address` in the inventory, or have the machine send from 192\.168\.10\.10: /,
    );
  });
});

describe('what a control plane that is alone sends into its segment', () => {
  const alone = clusterOf({ hosts: [first, worker] });
  const found = (etcdMember: boolean, from: string) =>
    sourceAddressCheck.check(first, { ...facts(`192.168.10.1 dev eth0 src ${from} uid 0`), etcdMember }, alone);

  test('comes from its address as long as that can be another one', () => {
    expect(found(false, '192.168.10.110')).toEqual([
      {
        detail:
          'what the host sends to segment office comes from 192.168.10.110 on eth0, and not from 192.168.10.10: etcd of another control plane would refuse it',
        next: expect.stringMatching(/--skip-check source-address$/),
      },
    ]);
    expect(found(false, '192.168.10.10')).toEqual([]);
    expect(found(true, '192.168.10.110')).toEqual([]);
  });
});

test('what another node sends into its segment is told where it comes from another address, once', () => {
  const seen = (host: ClusterHost, ...answers: readonly string[]) =>
    sourceAddressesCheck.check({ cluster, facts: new Map([[host.name, facts(...answers)]]) });
  const other = ['192.168.20.1 dev eth0 src 192.168.20.120 uid 0', '192.168.20.9 dev eth0 src 192.168.20.120 uid 0'];
  expect(seen(worker, ...other).map(({ hosts, detail }) => [hosts, detail])).toEqual([
    [['w-0'], 'what w-0 sends to segment rack comes from 192.168.20.120 on eth0, and not from 192.168.20.20'],
  ]);
  expect(seen(worker, '192.168.20.1 dev eth0 src 192.168.20.20 uid 0')).toEqual([]);
  expect(seen(worker, '192.168.20.1 RTNETLINK answers: Network is unreachable')).toEqual([]);
  expect(seen(worker, '10.9.9.9 dev eth1 src 10.9.9.1 uid 0')).toEqual([]);
  // Such as the virtual address, which a load balancer that is a worker has too.
  expect(seen(worker, '192.168.20.1 local 192.168.20.1 dev lo src 192.168.20.1 uid 0')).toEqual([]);
  expect(seen(first, '192.168.10.1 dev eth0 src 192.168.10.110 uid 0')).toEqual([]);
});

describe('the next hop of routes to pods', () => {
  const direct = ['192.168.10.11', '192.168.10.12', '192.168.10.1'].map(
    (address) => `${address} dev eth0 src 192.168.10.10 uid 0`,
  );
  const byGateway = direct.map((answer) => answer.replace(' dev', ' via 192.168.10.254 dev'));

  test.each<[string, readonly string[], readonly string[]]>([
    ['is on the link', direct, []],
    [
      'is not behind a gateway, as where each rented server has an address without a network',
      byGateway,
      [
        'the way to cp-1 (192.168.10.11), cp-2 (192.168.10.12), 192.168.10.1 leads by the gateway 192.168.10.254, and routes to pods need their next hop in the same network',
      ],
    ],
    [
      'has a route',
      [...direct.slice(0, 2), '192.168.10.1 RTNETLINK answers: Network is unreachable'],
      ['no route leads to 192.168.10.1, a next hop to pods: Network is unreachable'],
    ],
    ['is not judged where it was not asked', [], []],
    ['is not judged where ip fails', ['192.168.10.1 sh: 1: ip: not found', '192.168.10.11'], []],
  ])('%s', (_, answers, expected) => {
    expect(said(nextHopsCheck, facts(...answers))).toEqual(expected);
  });
});
