import { describe, expect, test } from 'vitest';
import { assumedFacts, type Facts, type LiveRoute, parseFacts, type RoutingRule } from '../../src/hosts/facts/facts.js';
import { parseNetwork } from '../../src/hosts/facts/network.js';
import type { ClusterHost } from '../../src/inventory/cluster.js';
import { defaultRouteCheck, networkOverlapCheck } from '../../src/preflight/routes.js';
import { clusterOf } from '../support/cluster.js';

const cluster = clusterOf();
const [controller, , , edge] = cluster.hosts as [ClusterHost, ClusterHost, ClusterHost, ClusterHost];
const gateway = { to: 'default', via: '192.168.10.254', device: 'eth0' };

const seen = (routes: readonly LiveRoute[], rules: readonly RoutingRule[] = []): Facts => ({
  ...assumedFacts,
  addresses: ['192.168.10.10/24'],
  routes: [gateway, ...routes],
  network: { rules, links: [], paths: [], hostsLines: [], resolved: [], connections: [] },
});

const overlapping = (facts: Facts, host = controller): readonly string[] =>
  networkOverlapCheck.check(host, facts, cluster).map(({ detail }) => detail);

const over = (...to: readonly string[]): readonly LiveRoute[] =>
  to.map((each) => ({ to: each, via: '10.8.0.1', device: 'tun0' }));

describe('routes in the main table', () => {
  test.each<[string, readonly LiveRoute[]]>([
    ['two halves of a default route', over('0.0.0.0/1', '128.0.0.0/1')],
    ['four quarters of one', over('0.0.0.0/2', '64.0.0.0/2', '128.0.0.0/2', '192.0.0.0/2')],
    [
      'the internet without its private networks, as WireGuard lists it',
      over('0.0.0.0/5', '8.0.0.0/7', '11.0.0.0/8', '12.0.0.0/6', '16.0.0.0/4', '32.0.0.0/3'),
    ],
    ['networks of others', over('172.16.0.0/12', '10.8.0.0/24')],
  ])('that are %s overlap nothing', (_, routes) => {
    expect(overlapping(seen(routes))).toEqual([]);
  });

  test('to a whole private network are told, with a network that is free and the name of the check', () => {
    const facts = seen(over('10.0.0.0/8'));
    const all = networkOverlapCheck.check(controller, facts, cluster);
    expect(all.map(({ detail }) => detail)).toEqual([
      'network.pods 10.244.0.0/16 overlaps the route to 10.0.0.0/8 on tun0',
      'network.services 10.254.0.0/16 overlaps the route to 10.0.0.0/8 on tun0',
    ]);
    expect(all.map(({ next }) => next)).toEqual([
      expect.stringMatching(/such as 172\.20\.0\.0\/16, which .*--skip-check network-overlap$/),
      expect.stringMatching(/such as 172\.21\.0\.0\/16, which .*--skip-check network-overlap$/),
    ]);
  });

  test('of a VPN that is point to point are told as well', () => {
    const facts = { ...seen(over('10.0.0.0/8')), addresses: parseFacts('address 10.8.0.6 tun0 global').addresses };
    expect(overlapping(facts)).toHaveLength(2);
  });

  test('to all private networks leave none to choose', () => {
    const routes = over('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10');
    expect(networkOverlapCheck.check(controller, seen(routes), cluster)[0]?.next).toMatch(
      /^choose another network\.pods in the inventory; where no machine/,
    );
  });
});

/** Rules and tables as ip(8) prints them. */
const rulesOf = (text: string): readonly RoutingRule[] => parseNetwork(text).rules;

const tailscale = `rule 0:\tfrom all lookup local
rule 5210:\tfrom all fwmark 0x80000/0xff0000 lookup main
rule 5230:\tfrom all fwmark 0x80000/0xff0000 lookup default
rule 5250:\tfrom all fwmark 0x80000/0xff0000 unreachable
rule 5270:\tfrom all lookup 52
rule 32766:\tfrom all lookup main
rule 32767:\tfrom all lookup default
tableroute 52 100.100.100.100 dev tailscale0`;

const wireguard = `rule 0:\tfrom all lookup local
rule 32764:\tfrom all lookup main suppress_prefixlength 0
rule 32765:\tnot from all fwmark 0xca6c lookup 51820
rule 32766:\tfrom all lookup main
tableroute 51820 default dev wg0 scope link`;

const bySource = (source: string) => `rule 100:\tfrom ${source} lookup 101
rule 32766:\tfrom all lookup main
tableroute 101 default via 192.168.10.1 dev eth1
tableroute 101 192.168.10.0/24 dev eth1 scope link`;

const earlier = (priority: number, table: string, route: string): string =>
  `network.pods 10.244.0.0/16 overlaps the ${route} in table ${table}, which rule ${priority} asks before the main table`;

describe('routes in tables that the kernel asks before the main one', () => {
  test.each<[string, string, readonly string[]]>([
    ['a mesh VPN with its own addresses', tailscale, []],
    [
      'a mesh VPN whose route covers pods',
      `${tailscale}\ntableroute 52 10.244.0.0/16 dev tailscale0`,
      [earlier(5270, '52', 'route to 10.244.0.0/16 on tailscale0')],
    ],
    [
      'a mesh VPN with a default route: it takes the packets of pods, those to Services have a pod as their end by then',
      `${tailscale}\ntableroute 52 default dev tailscale0`,
      [earlier(5270, '52', 'default route on tailscale0')],
    ],
    [
      'the same where pods are left out of it',
      `${tailscale}\ntableroute 52 default dev tailscale0\ntableroute 52 throw 10.0.0.0/8`,
      [],
    ],
    [
      'the same where a rule before it sends pods to the main table',
      `rule 5000:\tfrom all to 10.244.0.0/16 lookup main\n${tailscale}\ntableroute 52 default dev tailscale0`,
      [],
    ],
    ['the default route of WireGuard, which counts where the main table has no other', wireguard, []],
    [
      'a route of WireGuard into the pod network',
      `${wireguard}\ntableroute 51820 10.244.0.0/16 dev wg0`,
      [earlier(32765, '51820', 'route to 10.244.0.0/16 on wg0')],
    ],
    [
      "a table for packets from the host's own address: its answers to pods leave by it",
      bySource('192.168.10.10'),
      [earlier(100, '101', 'default route on eth1')],
    ],
    ['a table for packets from another address', bySource('172.31.0.5'), []],
    [
      'a table for packets to others',
      `rule 100:\tfrom all to 172.16.0.0/12 lookup 9\ntableroute 9 default dev eth1`,
      [],
    ],
    ['a table for marked packets', 'rule 100:\tfrom all fwmark 0x1 lookup 9\ntableroute 9 10.244.0.0/16 dev eth1', []],
    ['a table for one interface', 'rule 100:\tfrom all iif eth1 lookup 9\ntableroute 9 10.244.0.0/16 dev eth1', []],
    ['VRFs', 'rule 1000:\tfrom all lookup [l3mdev-table]\ntableroute [l3mdev-table] 10.244.0.0/16 dev vrf0', []],
    [
      'a table after the main one',
      'rule 32766:\tfrom all lookup main\nrule 32800:\tfrom all lookup 9\ntableroute 9 10.244.0.0/16 dev eth1',
      [],
    ],
  ])('%s', (_, printed, expected) => {
    expect(overlapping(seen([], rulesOf(printed)))).toEqual(expected);
  });

  test('are told with the rule that leaves pods to the main table', () => {
    const rules = rulesOf(`${tailscale}\ntableroute 52 10.244.0.0/16 dev tailscale0`);
    expect(networkOverlapCheck.check(controller, seen([], rules), cluster)[0]?.next).toContain(
      'ip rule add to 10.244.0.0/16 lookup main priority 5269; ',
    );
  });

  test('for what a host sends from its own address matter where pods run', () => {
    expect(overlapping(seen([], rulesOf(bySource(edge.address))), edge)).toEqual([]);
  });
});

describe('a default route', () => {
  const lan = { to: '192.168.10.0/24', device: 'eth0' };
  const isThere = (routes: readonly LiveRoute[], printed = '') =>
    defaultRouteCheck.check(controller, { ...assumedFacts, network: parseNetwork(printed), routes }, cluster).length ===
    0;
  const main = 'rule 32766:\tfrom all lookup main\n';

  test.each([
    [
      'in the table default',
      'rule 32767:\tfrom all lookup default\ntableroute default default via 192.168.10.254 dev eth0',
      true,
    ],
    ['in a table after the main one', 'rule 40000:\tfrom all lookup 9\ntableroute 9 default dev eth1', true],
    [
      'in the table default for another sender',
      'rule 32767:\tfrom 10.0.0.9 lookup default\ntableroute default default dev eth0',
      false,
    ],
    ['nowhere, where the table default is empty', 'rule 32767:\tfrom all lookup default', false],
  ])('may be %s', (_, printed, expected) => expect(isThere([lan], main + printed)).toBe(expected));

  test('may be two halves, or in another table', () => {
    expect(isThere([lan])).toBe(false);
    expect(isThere([lan, ...over('0.0.0.0/1', '128.0.0.0/1')])).toBe(true);
    expect(isThere([lan], wireguard)).toBe(true);
    expect(isThere([lan], bySource('192.168.10.10'))).toBe(false);
  });

  test('is not missed where ip printed no route at all', () => {
    expect(isThere([])).toBe(true);
  });
});
