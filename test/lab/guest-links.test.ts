import { expect, test } from 'vitest';
import { linkFiles } from '../../src/lab/guest/links.js';
import type { Cable, HostSpec } from '../../src/lab/spec.js';

const cable = (port: number, address: string): Cable => ({
  link: `eth${port}`,
  plug: `h0e${port}`,
  bridge: 'br0',
  address,
  mac: `02:00:00:00:00:0${port}`,
});

/** A router between two segments, whose own one has another router. */
const host: HostSpec = {
  name: 'worker-00',
  address: '10.0.0.20',
  segment: 'office',
  cables: [cable(0, '10.0.0.20/24'), cable(1, '10.0.1.1/24')],
  gateway: '10.0.0.1',
  user: 'root',
  sshPort: 22,
  sshAddress: '10.0.0.20',
};

test('ifupdown gives every link its address, and the first the way to the other segments', () => {
  expect(linkFiles(host, 'ifupdown')).toEqual([
    {
      path: 'etc/network/interfaces',
      content: `auto lo
iface lo inet loopback

auto eth0
iface eth0 inet static
  address 10.0.0.20/24
  gateway 10.0.0.1

auto eth1
iface eth1 inet static
  address 10.0.1.1/24
`,
    },
  ]);
});

test('NetworkManager has a connection for every link, which only root reads', () => {
  const [first, second] = linkFiles(host, 'NetworkManager');
  expect(first).toMatchObject({ path: 'etc/NetworkManager/system-connections/eth0.nmconnection', mode: 0o600 });
  expect(first?.content).toContain('\naddress1=10.0.0.20/24,10.0.0.1\n');
  expect(second?.content).toContain('\naddress1=10.0.1.1/24\n');
});

test.each(['ifupdown', 'NetworkManager'] as const)('a host without a gateway has no default route by %s', (daemon) => {
  const { gateway: _, ...alone } = host;
  expect(JSON.stringify(linkFiles(alone, daemon))).not.toMatch(/gateway|\/24,/);
});

test('both families stand beside each other', () => {
  const both: HostSpec = {
    ...host,
    cables: [{ ...cable(0, '10.0.0.20/24'), ipv6: 'fd00:10::20/64' }],
    ipv6Gateway: 'fd00:10::1',
  };
  expect(linkFiles(both, 'ifupdown')[0]?.content).toContain(
    '  gateway 10.0.0.1\niface eth0 inet6 static\n  address fd00:10::20/64\n  gateway fd00:10::1\n',
  );
  expect(linkFiles(both, 'NetworkManager')[0]?.content).toContain(
    '[ipv6]\nmethod=manual\naddress1=fd00:10::20/64,fd00:10::1\n',
  );
});
