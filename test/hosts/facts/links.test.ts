import { expect, test } from 'vitest';
import { linkAddresses } from '../../../src/hosts/facts/link-address.js';
import { parseNetwork } from '../../../src/hosts/facts/network.js';

/** What ip(8) and /proc print, as `networkScript` cuts it. */
test.each<[string, string, readonly string[]]>([
  [
    'a VLAN and the card below it',
    'link eno1: 1500\nlink eno1.100@eno1: 1496\naddress 10.9.0.5/24 eno1 global\naddress 192.168.10.11/24 eno1.100 global',
    ['eno1 1500 10.9.0.5/24', 'eno1.100 1496 192.168.10.11/24'],
  ],
  [
    'a VLAN with a name of its own, which forwards nothing',
    'link vlan100@bond0: 1500\naddress 192.168.10.11/24 vlan100 global\nclosed /proc/sys/net/ipv4/conf/vlan100/forwarding',
    ['vlan100 1500 192.168.10.11/24 closed'],
  ],
  [
    'several addresses on one interface',
    'link eth0: 1500\naddress 192.168.10.9/24 eth0 global\naddress 192.168.10.11/24 eth0 global\naddress 10.8.0.6 eth0 global',
    ['eth0 1500 192.168.10.9/24 192.168.10.11/24 10.8.0.6/32'],
  ],
  [
    'several interfaces in one segment',
    'link eth0: 1500\nlink eth1: 9000\naddress 192.168.10.9/24 eth0 global\naddress 192.168.10.11/24 eth1 global',
    ['eth0 1500 192.168.10.9/24', 'eth1 9000 192.168.10.11/24'],
  ],
])('%s are read', (_, printed, expected) => {
  expect(
    parseNetwork(printed, linkAddresses(printed)).links.map(({ name, mtu, addresses, isClosed }) =>
      [name, mtu, ...addresses, ...(isClosed ? ['closed'] : [])].join(' '),
    ),
  ).toEqual(expected);
});
