import { describe, expect, test } from 'vitest';
import { assumedFacts, type Facts, parseFacts } from '../../src/hosts/facts/facts.js';
import type { ClusterHost } from '../../src/inventory/cluster.js';
import { firewallCheck } from '../../src/preflight/firewall.js';
import { ipv6AddressCheck } from '../../src/preflight/ipv6.js';
import { defaultRouteCheck, networkOverlapCheck } from '../../src/preflight/routes.js';
import { clusterOf, withIpv6 } from '../support/cluster.js';

const alone = clusterOf();
const cluster = withIpv6(alone);
const [controller, , , edge] = cluster.hosts as [ClusterHost, ClusterHost, ClusterHost, ClusterHost];

/** As the script prints it. */
const seen = (...lines: readonly string[]): Facts => ({
  ...assumedFacts,
  ...parseFacts(
    ['address 192.168.10.10/24', 'route default via 192.168.10.1 dev eth0', 'ipv6 yes', ...lines].join('\n'),
  ),
});

const own = 'ipv6address eth0 fd00:192:168:10::10/64 scope global';
const lan = 'ipv6route fd00:192:168:10::/64 dev eth0 proto kernel';
const gateway = 'ipv6route default via fe80::1 dev eth0 proto ra';

describe('an IPv6 address of the inventory', () => {
  test.each<[string, Facts, string | undefined]>([
    ['is there', seen(own), undefined],
    ['is not asked for of a host that was not observed', assumedFacts, undefined],
    [
      'is another one',
      seen('ipv6address eth0 fd00:192:168:10::11/64 scope global'),
      'fd00:192:168:10::10 is not an address of this machine (it has fd00:192:168:10::11/64)',
    ],
    ['is none at all', seen(), 'fd00:192:168:10::10 is not an address of this machine (it has none of IPv6)'],
    [
      'is that of another machine',
      seen(`${own} dadfailed tentative`),
      'fd00:192:168:10::10 on eth0 is the address of another machine too, so the kernel does not use it',
    ],
    [
      'cannot be, as IPv6 is switched off',
      seen(
        'ipv6disabled /proc/sys/net/ipv6/conf/default/disable_ipv6',
        'ipv6disabled /proc/sys/net/ipv6/conf/eth0.7/disable_ipv6',
      ),
      'fd00:192:168:10::10 is not an address of this machine: IPv6 is switched off on eth0.7',
    ],
    [
      'cannot be, as the kernel has no IPv6',
      { ...assumedFacts, ...parseFacts('ipv6 no') },
      'the inventory gives the host fd00:192:168:10::10, and its kernel has no IPv6',
    ],
  ])('%s', (_, facts, detail) => {
    expect(ipv6AddressCheck.check(controller, facts)[0]?.detail).toBe(detail);
  });

  test('names the settings by which IPv6 is switched on again', () => {
    const [failed] = ipv6AddressCheck.check(
      controller,
      seen('ipv6disabled /proc/sys/net/ipv6/conf/eth0.7/disable_ipv6'),
    );
    expect(failed?.next).toMatch(/^sysctl -w net\.ipv6\.conf\.eth0\/7\.disable_ipv6=0, /);
  });

  test('is asked for in each segment of a router, and of no host in a cluster of IPv4 alone', () => {
    const facts = seen('ipv6address eth0 fd00:192:168:10::1/64 scope global');
    expect(ipv6AddressCheck.check(edge, facts).map(({ detail }) => detail)).toEqual([
      'fd00:192:168:20::1 is not an address of this machine (it has fd00:192:168:10::1/64)',
    ]);
    expect(alone.hosts.flatMap((host) => ipv6AddressCheck.check(host, seen()))).toEqual([]);
  });
});

describe('routes of IPv6', () => {
  test('lead to Services by a default route, or by one of their own', () => {
    const details = (...lines: readonly string[]) =>
      defaultRouteCheck.check(controller, seen(own, lan, ...lines), cluster).map(({ detail }) => detail);
    expect(details(gateway)).toEqual([]);
    expect(details('ipv6route fd00:10:254::/112 dev eth0')).toEqual([]);
    expect(details()).toEqual([
      'programs of the host itself cannot reach Services, fd00:10:254::/112: there is no default route, and none of their own',
    ]);
  });

  test('of others lead into no network of the cluster', () => {
    const details = (...lines: readonly string[]) =>
      networkOverlapCheck.check(controller, seen(own, lan, gateway, ...lines), cluster).map(({ detail }) => detail);
    // Those of kbs itself, and the bridge's.
    expect(
      details(
        'ipv6route fd00:10:244:1::/64 via fd00:192:168:10::20 dev eth0',
        'ipv6route fd00:10:244::/64 dev cni0 proto kernel',
        'ipv6route fe80::/64 dev eth0',
      ),
    ).toEqual([]);
    expect(details('ipv6route fd00:10::/32 dev wg0')).toEqual([
      'network.ipv6.pods fd00:10:244::/56 overlaps the route to fd00:10::/32 on wg0',
      'network.ipv6.services fd00:10:254::/112 overlaps the route to fd00:10::/32 on wg0',
    ]);
  });
});

describe('a firewall of IPv6', () => {
  const dropping = seen('firewall forward ip6 filter FORWARD', 'firewallrule ip6 filter FORWARD jump DOCKER-USER');
  const opened = (rule: string) =>
    seen(
      'firewall forward ip6 filter FORWARD',
      `firewallrule ip6 filter FORWARD ${rule}`,
      'firewall input ip6 filter INPUT',
    );

  test('that drops packets of pods is told in a cluster of both families alone', () => {
    expect(firewallCheck.check(controller, dropping, cluster)).toEqual([
      {
        detail: expect.stringContaining('the chain FORWARD of the table ip6 filter (Docker) drops'),
        next: expect.stringContaining('ip6tables -I DOCKER-USER -s fd00:10:244::/56 -j ACCEPT'),
      },
    ]);
    expect(firewallCheck.check(controller, dropping, alone)).toEqual([]);
  });

  test('that lets the pods through passes, and so does one that is for what comes to the host itself', () => {
    expect(firewallCheck.check(controller, opened('ip6 saddr fd00:10:244::/56 accept'), cluster)).toEqual([]);
  });
});
