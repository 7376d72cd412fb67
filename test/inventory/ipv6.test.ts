import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { Failures } from '../../src/failure.js';
import { contains, nthSubnet, overlaps } from '../../src/inventory/addresses.js';
import { derive } from '../../src/inventory/derive.js';
import { hostPodPrefixLength, hostRoom, ipv6HostRoom, ipv6PodsBeside } from '../../src/inventory/host-pods.js';
import { parseInventory } from '../../src/inventory/load.js';
import { planPods } from '../../src/network/pod-plan.js';
import { compileRoutes } from '../../src/network/routes.js';

/** Right in every way; each test breaks one piece of it. */
const good = `apiVersion: kbs/v1
cluster: dual
kubernetes: { version: 1.36.3 }
network:
  pods: 10.244.0.0/16
  services: 10.254.0.0/16
  ipv6: { pods: fd00:10:244::/56, services: fd00:10:254::/112 }
  segments:
    office: { cidr: 192.168.10.0/24, gateway: 192.168.10.1, ipv6: { cidr: fd00:10::/64, gateway: fd00:10::1 } }
    rack: { cidr: 192.168.20.0/24, gateway: 192.168.20.1, ipv6: { cidr: fd00:20::/64, gateway: fd00:20::1 } }
hosts:
  controller-00: { address: 192.168.10.10, ipv6: fd00:10::10, roles: [control-plane] }
  worker-00: { address: 192.168.20.20, ipv6: fd00:20::20, roles: [worker] }
  store: { address: 192.168.20.30, roles: [dns] }
  edge:
    roles: [router]
    address: 192.168.10.1
    addresses: { office: 192.168.10.1, rack: 192.168.20.1 }
    ipv6: { office: fd00:10::1, rack: fd00:20::1 }
dns: { zone: lan.internal }
`;

/** `line:column message`, one for each error. */
const said = (text: string): readonly string[] => {
  try {
    parseInventory(text, 'kbs.yaml', ['1.36.3']);
    return [];
  } catch (error) {
    if (!(error instanceof Failures)) throw error;
    return error.failures.map(({ where, message }) => `${where.position?.replace('kbs.yaml:', '')} ${message}`);
  }
};

const clusterFrom = (text: string) =>
  derive(
    parseInventory(text, 'kbs.yaml', ['1.36.3']),
    { planPods, compileRoutes },
    { directory: '/', home: '/', keys: [] },
  );

it('an inventory of both families is read', () => expect(said(good)).toEqual([]));

test.each([
  // Families and forms.
  [
    'pods: fd00:10:244::/56',
    'pods: 10.245.0.0/16',
    '7:17 network.ipv6.pods: 10.245.0.0/16 is not an IPv6 network in CIDR form; it is one of IPv4, which has fields of its own',
  ],
  [
    'pods: 10.244.0.0/16',
    'pods: fd00:10:243::/56',
    '5:9 network.pods: fd00:10:243::/56 is not a network in CIDR form; kbs needs IPv4 here; IPv6 stands beside it, under `ipv6` (docs/dual-stack.md)',
  ],
  [
    'services: 10.254.0.0/16',
    'services: "10.254.0.0/16,fd00::/112"',
    '6:13 network.services: 10.254.0.0/16,fd00::/112 is not a network in CIDR form; kbs needs IPv4 here; IPv6 stands beside it, under `ipv6` (docs/dual-stack.md)',
  ],
  [
    'address: 192.168.20.20, ipv6: fd00:20::20',
    'address: fd00:20::20',
    '13:3 hosts.worker-00.ipv6 is missing; in a cluster of both families every node and every control plane has an IPv6 address',
    '13:25 hosts.worker-00.address: fd00:20::20 is not an IPv4 address; kbs needs IPv4 here; IPv6 stands beside it, under `ipv6` (docs/dual-stack.md)',
  ],
  [
    'ipv6: fd00:20::20',
    'ipv6: FD00:20:0::20',
    '13:46 hosts.worker-00.ipv6: FD00:20:0::20 is not an IPv6 address; write it as fd00:20::20',
  ],
  [
    'ipv6: fd00:20::20',
    'ipv6: 192.168.20.21',
    '13:46 hosts.worker-00.ipv6: 192.168.20.21 is not an IPv6 address; it is one of IPv4, which has fields of its own',
  ],
  [
    'services: fd00:10:254::/112',
    'services: fd00:10:254::5/112',
    '7:45 network.ipv6.services: fd00:10:254::5/112 is not an IPv6 network in CIDR form; with its host bits cleared it is fd00:10:254::/112',
  ],
  // Sizes and overlaps.
  [
    'services: fd00:10:254::/112',
    'services: fd00:10:254::/64',
    '7:45 network.ipv6.services: fd00:10:254::/64 is larger than the API server takes; write a /108 or smaller, as a /112',
  ],
  [
    'services: fd00:10:254::/112',
    'services: fd00:10:254::/126',
    '7:45 network.ipv6.services: fd00:10:254::/126 has no tenth address, which is that of cluster DNS; write a /124 or larger',
  ],
  [
    'services: fd00:10:254::/112',
    'services: fd00:10:244:7::/112',
    '7:45 network.ipv6.services: fd00:10:244:7::/112 overlaps network.ipv6.pods, fd00:10:244::/56; every network needs addresses of its own',
  ],
  [
    'pods: fd00:10:244::/56',
    'pods: fd00:10:244::/60',
    '7:17 network.ipv6.pods: fd00:10:244::/60 has 16 parts of a /64, and network.pods, 10.244.0.0/16, has 256 of a /24 for nodes; write a /56 or larger, or a longer nodePrefix',
  ],
  [
    'pods: fd00:10:244::/56,',
    'pods: fe80::/56,',
    '7:17 network.ipv6.pods: fe80::/56 is link-local; write a network of your own, such as one of fd00::/8',
  ],
  // What is missing.
  [
    ', ipv6: fd00:20::20',
    '',
    '13:3 hosts.worker-00.ipv6 is missing; in a cluster of both families every node and every control plane has an IPv6 address',
  ],
  [
    ', ipv6: { cidr: fd00:20::/64, gateway: fd00:20::1 }',
    '',
    '10:5 network.segments.rack.ipv6 is missing; worker-00 is in this segment, and in a cluster of both families every host of Kubernetes has an IPv6 address',
    '19:33 hosts.edge.ipv6.rack: segment rack has no IPv6; write its ipv6, or take this away',
  ],
  [
    ', gateway: fd00:20::1',
    '',
    '10:59 network.segments.rack.ipv6.gateway is missing; where there are several segments, each needs the address of its router',
  ],
  // Places.
  [
    'ipv6: fd00:20::20',
    'ipv6: fd00:10::20',
    '13:46 hosts.worker-00.ipv6: fd00:10::20 is not in segment rack, fd00:20::/64; write an address inside',
  ],
  [
    'ipv6: fd00:20::20',
    'ipv6: "fd00:20::"',
    '13:46 hosts.worker-00.ipv6: fd00:20:: is that of every router in fd00:20::/64; write a later address',
  ],
  [
    'ipv6: fd00:10::10',
    'ipv6: fd00:10::1',
    '12:50 hosts.controller-00.ipv6: fd00:10::1 is the gateway of segment office; write another address, or give the host the role router',
    '19:21 hosts.edge.ipv6.office: fd00:10::1 is already the address of controller-00; write another',
  ],
  [
    'gateway: fd00:20::1',
    'gateway: fd00:30::1',
    '10:96 network.segments.rack.ipv6.gateway: fd00:30::1 is not in segment rack, fd00:20::/64; write an address inside',
  ],
  // Routers and others.
  [
    'ipv6: fd00:20::20',
    'ipv6: { rack: fd00:20::20 }',
    '13:46 hosts.worker-00.ipv6 is a map, and only a router has several addresses; write one address',
  ],
  [
    'ipv6: { office: fd00:10::1, rack: fd00:20::1 }',
    'ipv6: fd00:10::1',
    '19:11 hosts.edge.ipv6: fd00:10::1 is one address; write that of each segment that the router joins',
  ],
  [
    'ipv6: { office: fd00:10::1, rack: fd00:20::1 }',
    'ipv6: { offce: fd00:10::1, rack: fd00:20::1 }',
    '19:5 hosts.edge.ipv6.office is missing; edge is at home in this segment',
    '19:13 hosts.edge.ipv6.offce: edge has no address in a segment offce; did you mean office?',
  ],
])('%j → %j', (piece, by, ...errors) => {
  expect(good.split(piece)).toHaveLength(2);
  expect(said(good.replace(piece, by))).toEqual(errors);
});

it('says at every place that a cluster of IPv4 alone has no IPv6', () => {
  const without = good.replace('  ipv6: { pods: fd00:10:244::/56, services: fd00:10:254::/112 }\n', '');
  const missing = 'network.ipv6 is missing, which makes a cluster one of both families; write it, or take this away';
  expect(said(without)).toEqual([
    `8:61 network.segments.office.ipv6: ${missing}`,
    `9:59 network.segments.rack.ipv6: ${missing}`,
    `11:44 hosts.controller-00.ipv6: ${missing}`,
    `12:40 hosts.worker-00.ipv6: ${missing}`,
    `18:5 hosts.edge.ipv6: ${missing}`,
  ]);
});

describe('what follows', () => {
  const cluster = clusterFrom(good);

  it('are pod CIDRs with the place of the IPv4 ones', () => {
    expect(cluster.network.segments.map(({ podCidr, ipv6 }) => [podCidr, ipv6?.podCidr])).toEqual([
      ['10.244.0.0/18', 'fd00:10:244::/58'],
      ['10.244.64.0/18', 'fd00:10:244:40::/58'],
    ]);
    expect(cluster.hosts.map(({ name, podCidr, ipv6 }) => [name, podCidr, ipv6?.podCidr])).toEqual([
      ['controller-00', '10.244.10.0/24', 'fd00:10:244:a::/64'],
      ['worker-00', '10.244.84.0/24', 'fd00:10:244:54::/64'],
      ['store', undefined, undefined],
      ['edge', undefined, undefined],
    ]);
  });

  it('are routes of both families, and none of IPv6 for a host that has none', () => {
    expect(cluster.routes['worker-00']?.map(({ to, via }) => `${to} via ${via}`)).toEqual([
      '10.244.0.0/18 via 192.168.20.1',
      'fd00:10:244::/58 via fd00:20::1',
    ]);
    expect(cluster.routes.edge?.map(({ to, via }) => `${to} via ${via}`)).toEqual([
      '10.244.10.0/24 via 192.168.10.10',
      '10.244.84.0/24 via 192.168.20.20',
      'fd00:10:244:a::/64 via fd00:10::10',
      'fd00:10:244:54::/64 via fd00:20::20',
    ]);
    expect(cluster.routes.store?.filter(({ to }) => to.includes(':'))).toEqual([]);
  });
});

describe('IPv6 pod CIDRs', () => {
  /** An IPv4 pod network, the node prefix of an IPv6 one that has at least as many places, and its own length. */
  const anyPlan = fc
    .record({
      length: fc.integer({ min: 12, max: 24 }),
      nodePrefix: fc.integer({ min: 64, max: 120 }),
      spare: fc.nat(8),
    })
    .map(({ length, nodePrefix, spare }) => {
      const pods = `10.${length >= 16 ? 244 : 240}.0.0/${length}`;
      return { pods, ipv6: { pods: `fd00::/${nodePrefix - Math.log2(hostRoom(pods)) - spare}`, nodePrefix } };
    });

  it('of two places are disjoint, and lie in the segment that the IPv4 ones lie in', () =>
    fc.assert(
      fc.property(anyPlan, fc.nat(), fc.nat(), fc.nat(4), ({ pods, ipv6 }, one, other, wider) => {
        const room = hostRoom(pods);
        expect(ipv6HostRoom(ipv6)).toBeGreaterThanOrEqual(room);
        const length = hostPodPrefixLength(pods);
        const [a, b] = [nthSubnet(pods, length, one % room), nthSubnet(pods, length, other % room)];
        const [a6, b6] = [ipv6PodsBeside(a, pods, ipv6), ipv6PodsBeside(b, pods, ipv6)];
        expect(overlaps(a6, b6)).toBe(a === b);
        const up = Math.min(wider, Math.log2(room));
        const segment = nthSubnet(pods, length - up, Math.floor((one % room) / 2 ** up));
        const segment6 = ipv6PodsBeside(segment, pods, ipv6);
        expect(contains(segment6, a6)).toBe(true);
        expect(contains(segment6, b6)).toBe(contains(segment, b));
        expect(contains(ipv6.pods, segment6)).toBe(true);
      }),
    ));

  it('stay where they are when the IPv4 pod network grows into one that they have room for', () => {
    const ipv6 = { pods: 'fd00:10::/48', nodePrefix: 64 };
    expect(ipv6PodsBeside('10.244.67.0/24', '10.244.0.0/16', ipv6)).toBe('fd00:10:0:f443::/64');
    expect(ipv6PodsBeside('10.244.67.0/24', '10.240.0.0/12', ipv6)).toBe('fd00:10:0:f443::/64');
  });
});
