import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { KernelRoute } from '../../src/inventory/cluster.js';
import { type Dialect, dialects } from '../../src/network/router-dialects.js';
import { lacks } from '../support/needs.js';

const routes: readonly KernelRoute[] = [
  { to: '10.244.10.0/24', via: '192.168.10.10', why: 'pods of controller-00' },
  { to: '10.244.64.0/18', via: '192.168.20.1', why: 'pods of segment rack, through edge' },
  { to: 'fd00:10:244:a::/64', via: 'fd00:192:168:10::10', why: 'pods of controller-00' },
];

const goldens: Readonly<Record<Dialect, string>> = {
  'ip-route': `ip route replace 10.244.10.0/24 via 192.168.10.10 # pods of controller-00
ip route replace 10.244.64.0/18 via 192.168.20.1 # pods of segment rack, through edge
ip -6 route replace fd00:10:244:a::/64 via fd00:192:168:10::10 # pods of controller-00
`,
  frr: `configure terminal
! pods of controller-00
ip route 10.244.10.0/24 192.168.10.10
! pods of segment rack, through edge
ip route 10.244.64.0/18 192.168.20.1
! pods of controller-00
ipv6 route fd00:10:244:a::/64 fd00:192:168:10::10
end
write memory
`,
  vyos: `configure
set protocols static route 10.244.10.0/24 next-hop 192.168.10.10
set protocols static route 10.244.64.0/18 next-hop 192.168.20.1
set protocols static route6 fd00:10:244:a::/64 next-hop fd00:192:168:10::10
commit
save
exit
`,
  'cisco-ios': `configure terminal
! pods of controller-00
ip route 10.244.10.0 255.255.255.0 192.168.10.10
! pods of segment rack, through edge
ip route 10.244.64.0 255.255.192.0 192.168.20.1
! pods of controller-00
ipv6 route fd00:10:244:a::/64 fd00:192:168:10::10
end
write memory
`,
};

describe('the routes of an unmanaged router', () => {
  it.each(Object.entries(dialects))('are printed for %s', (name, { print }) => {
    expect(print(routes)).toBe(Object.entries(goldens).find(([dialect]) => dialect === name)?.[1]);
  });

  it.skipIf(lacks('root', 'iproute2'))('can be pasted into a Linux shell, twice', () => {
    const script = `ip link set lo up
ip link add lan type bridge
ip address add 192.168.10.1/24 dev lan
ip address add 192.168.20.9/24 dev lan
ip address add fd00:192:168:10::9/64 dev lan nodad
ip link set lan up
${dialects['ip-route'].print(routes).repeat(2)}
ip -4 route show root 10.244.0.0/16`;
    const listed = execFileSync('unshare', ['-n', 'sh', '-eu'], { input: script, encoding: 'utf8' });
    expect(listed.split('\n').map((line) => line.trim().replace(/ dev .*/, ''))).toEqual([
      '10.244.10.0/24 via 192.168.10.10',
      '10.244.64.0/18 via 192.168.20.1',
      '',
    ]);
  });
});
