import { describe, expect, it } from 'vitest';
import { assignmentFrom, assignmentOf, assignmentText, podCidrConflicts } from '../../src/network/assignment.js';
import { clusterOf, hostOf, withIpv6 } from '../support/cluster.js';

/** controller-00 10.244.0.0/24 and worker-office-00 10.244.1.0/24 in the office, worker-rack-00 10.244.64.0/24. */
const cluster = clusterOf();
const living = (nodes: Readonly<Record<string, string>>) =>
  new Map(Object.entries(nodes).map(([name, cidrs]) => [name, cidrs.split(' ').filter(Boolean)]));
const asPlanned = assignmentOf(cluster).hosts;

describe('a plan and the Nodes of the cluster', () => {
  it.each([
    ['a cluster without Nodes', {}],
    ['Nodes as planned', asPlanned],
    ['a Node without a pod CIDR', { ...asPlanned, 'worker-rack-00': '' }],
    ['a Node of IPv6 alone', { ...asPlanned, other: 'fd00::/64' }],
    ['a Node of another name with a pod CIDR of its own', { ...asPlanned, other: '10.244.2.0/24' }],
  ])('agree for %s', (_what, nodes) => {
    expect(podCidrConflicts(cluster, living(nodes))).toEqual([]);
  });

  const both = withIpv6(cluster);
  const asPlannedInBoth = {
    'controller-00': '10.244.0.0/24 fd00:10:244::/64',
    'worker-office-00': '10.244.1.0/24 fd00:10:244:1::/64',
    'worker-rack-00': '10.244.64.0/24 fd00:10:244:40::/64',
  };

  it.each([
    ['Nodes as planned', asPlannedInBoth, []],
    [
      'Nodes of IPv4 alone',
      { ...asPlannedInBoth, 'worker-rack-00': '10.244.64.0/24' },
      [
        {
          message:
            'pod-cidr: worker-rack-00 has 10.244.64.0/24 in the cluster and would get fd00:10:244:40::/64 as its part of IPv6',
          next: 'take network.ipv6 out of the inventory again, or make the cluster anew: kbs reset, then kbs init',
        },
      ],
    ],
    [
      'a Node with another one of IPv6',
      { ...asPlannedInBoth, 'worker-rack-00': '10.244.64.0/24 fd00:10:244:41::/64' },
      [{ next: 'write network.ipv6, and the ipv6 of segments and hosts, as they were' }],
    ],
    [
      'a Node of another name that has the IPv6 one of a host',
      { ...asPlannedInBoth, 'worker-rack-00': '', other: '10.9.0.0/24 fd00:10:244:40::/64' },
      [{ message: 'pod-cidr: worker-rack-00 would get fd00:10:244:40::/64, which belongs to the Node other' }],
    ],
  ])('in a cluster of both families is compared in both: %s', (_what, nodes, failures) => {
    expect(podCidrConflicts(both, living(nodes))).toMatchObject(failures);
  });

  it.each([
    [
      'a Node with an IPv6 one besides',
      { ...asPlanned, 'worker-rack-00': '10.244.64.0/24 fd00::/64' },
      {
        message: 'pod-cidr: worker-rack-00 has fd00::/64 in the cluster, and the inventory has IPv4 alone',
        next: 'write network.ipv6, and the ipv6 of segments and hosts, as they were',
      },
    ],
    [
      'a Node that would move within its segment',
      { ...asPlanned, 'worker-office-00': '10.244.20.0/24' },
      {
        message: 'pod-cidr: worker-office-00 has 10.244.20.0/24 in the cluster and would get 10.244.1.0/24',
        where: { host: 'worker-office-00' },
        next: 'write hosts.worker-office-00.podCIDR: 10.244.20.0/24 into the inventory, or take the node out and join it again: kbs remove worker-office-00',
      },
    ],
    [
      'a Node that went to another segment, where its pod CIDR cannot be pinned',
      { ...asPlanned, 'worker-rack-00': '10.244.3.0/24' },
      { next: 'take the node out and join it again: kbs remove worker-rack-00' },
    ],
    [
      'a host that would get the pod CIDR of a Node that is not in the inventory',
      { 'controller-00': '10.244.0.0/24', other: '10.244.1.0/24', third: '10.244.2.0/24' },
      {
        message: 'pod-cidr: worker-office-00 would get 10.244.1.0/24, which belongs to the Node other',
        where: { host: 'worker-office-00' },
        why: ['other is a Node of the cluster, and no node of this inventory'],
        next: 'write hosts.worker-office-00.podCIDR: 10.244.3.0/24 into the inventory; or, if other is gone for good: kubectl delete node other',
      },
    ],
    [
      'a host whose pod CIDR would hold that of such a Node',
      { other: '10.244.1.128/26' },
      {
        message:
          'pod-cidr: worker-office-00 would get 10.244.1.0/24, and 10.244.1.128/26, which overlaps it, belongs to the Node other',
      },
    ],
  ])('contradict each other for %s', (_what, nodes, failure) => {
    const conflicts = podCidrConflicts(cluster, living(nodes));
    expect(conflicts).toHaveLength(1);
    expect(conflicts[0]).toMatchObject({ code: 'preflight', ...failure });
  });

  it('two hosts are not advised to take the same free pod CIDR', () => {
    const hosts = [
      ...cluster.hosts,
      hostOf({ name: 'new', address: '192.168.10.21', segment: 'office', podCidr: '10.244.2.0/24' }),
    ];
    const conflicts = podCidrConflicts({ ...cluster, hosts }, living({ x: '10.244.1.0/24', y: '10.244.2.0/24' }));
    expect(conflicts.map(({ next }) => /podCIDR: \S+/.exec(next ?? '')?.[0])).toEqual([
      'podCIDR: 10.244.3.0/24',
      'podCIDR: 10.244.4.0/24',
    ]);
  });

  it('a newcomer in the place of a Node that moves is not reported too: with the Node pinned it gets another', () => {
    const nodes = { ...asPlanned, 'worker-office-00': '10.244.0.0/24', 'controller-00': '' };
    expect(podCidrConflicts(cluster, living(nodes)).map(({ where }) => where.host)).toEqual(['worker-office-00']);
  });
});

describe('an assignment that is taken from the cluster', () => {
  it('has the pod CIDRs of the Nodes, and the segments of the record', () => {
    const recorded = assignmentText({ segments: { office: '10.244.0.0/18' }, hosts: { planned: '10.244.9.0/24' } });
    expect(assignmentFrom(living({ b: '10.244.2.0/24', a: '10.244.1.0/24 fd00::/64', young: '' }), recorded)).toEqual({
      segments: { office: '10.244.0.0/18' },
      hosts: { a: '10.244.1.0/24', b: '10.244.2.0/24' },
    });
  });

  it.each([undefined, '', '{'])('has no segments where the record is %j', (recorded) => {
    expect(assignmentFrom(living({ a: '10.244.1.0/24' }), recorded)).toEqual({
      segments: {},
      hosts: { a: '10.244.1.0/24' },
    });
  });
});
