import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { inRoot } from '../../src/lab/guest/in-root.js';
import { machineScript } from '../../src/lab/machine.js';
import { hostNetwork, switchUp } from '../../src/lab/network.js';
import { hostNamespace, labPrefix } from '../../src/lab/paths.js';
import { type GuestImage, specOf } from '../../src/lab/spec.js';
import { clusterOf, hostOf } from '../support/cluster.js';

const places = { home: "/srv/it's a lab", cache: '/srv/cache' };
const spec = specOf(clusterOf());
const asGuests = specOf(clusterOf({ hosts: clusterOf().hosts.map((host) => ({ ...host, lab: { platform: 'vm' } })) }));

describe('the scripts of a lab', () => {
  test.each<readonly [string, string]>([
    ['the switch', switchUp('hybrid', spec)],
    [
      'the switch of an unlisted router',
      switchUp('hybrid', specOf({ ...clusterOf(), hosts: clusterOf().hosts.slice(0, 3) })),
    ],
    ...spec.hosts.map((host) => [`the machine ${host.name}`, machineScript(places, 'hybrid', host)] as const),
    ['a command in a root of its own architecture', inRoot('amd64')],
    ['a command in a root of another architecture', inRoot('arm64')],
    ...asGuests.hosts.map((host) => [`the guest ${host.name}`, machineScript(places, 'hybrid', host)] as const),
  ])('are shell that a plain shell reads: %s', (_, script) => {
    const { status, stderr } = spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });

  test('give a guest a network card for each of its cables, with the same address at every boot', () => {
    const edge = asGuests.hosts.find(({ name }) => name === 'edge');
    if (edge === undefined) throw new Error('the example has a router');
    const script = machineScript(places, 'hybrid', edge);
    for (const { plug, link, mac, bridge } of edge.cables) {
      expect(script).toContain(`tuntap add dev ${plug} mode tap\nlink set ${plug} master ${bridge} up`);
      expect(script).toContain(`-netdev tap,id=${link},ifname=${plug},`);
      expect(script).toContain(`netdev=${link},mac=${mac}`);
    }
    expect(edge.cables).toHaveLength(2);
  });

  test('start a guest with the processor, the machine and the console of its image', () => {
    const of = (image: GuestImage) => {
      const [host] = asGuests.hosts;
      if (host === undefined) throw new Error('the example has hosts');
      const guest = { image, memory: 2048, cpus: 2 };
      const script = machineScript(places, 'hybrid', { ...host, guest });
      return script.match(/qemu-system-\w+|(?<=-machine )\w+|console=\w+/g);
    };
    expect(of('debian-13')).toEqual(['qemu-system-x86_64', 'q35', 'console=ttyS0']);
    expect(of('debian-13-arm64')).toEqual(['qemu-system-aarch64', 'virt', 'console=ttyAMA0']);
  });

  test('leave forwarding off on a router: kbs sets it', () => {
    const edge = spec.hosts.find(({ name }) => name === 'edge');
    if (edge === undefined) throw new Error('the example has a router');
    expect(hostNetwork('hybrid', edge)).toContain('net.ipv4.ip_forward=0');
  });

  test('name links that Linux takes, whatever the cluster is called', () => {
    const name = 'a-cluster-with-a-name-that-is-very-long-indeed';
    expect(labPrefix(name).length).toBeLessThanOrEqual(15);
    expect(labPrefix(name)).not.toBe(labPrefix('another'));
    expect(hostNamespace(name, 'switch')).not.toBe(`${labPrefix(name)}-switch`);
  });

  test('name machines as systemd-nspawn takes them, whatever the host is called', () => {
    const name = `${'x'.repeat(52)}-${'y'.repeat(10)}`;
    const long = specOf(clusterOf({ hosts: [hostOf({ name, address: '192.168.10.10', segment: 'office' })] }));
    const [, machine = ''] =
      /--machine=(\S+)/.exec(long.hosts.map((host) => machineScript(places, 'hybrid', host)).join('')) ?? [];
    expect(machine).toMatch(/^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/);
  });
});
