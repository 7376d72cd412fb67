import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { linkAddresses, linkAddressesScript } from '../../../src/hosts/facts/link-address.js';
import {
  type NetworkFacts,
  type NetworkQuestions,
  networkScript,
  parseNetwork,
} from '../../../src/hosts/facts/network.js';
import { lacks } from '../../support/needs.js';

/** What a machine's own network says after a root shell has changed it, with a folder /etc of its own. */
const factsAfter = async (changes: string, questions: Partial<NetworkQuestions> = {}): Promise<NetworkFacts> => {
  const ask = networkScript({ to: [], names: [], resolve: [], connect: [], ...questions });
  const input = `cp -a /etc/alternatives /tmp/$$; mount -t tmpfs none /etc; mv /tmp/$$ /etc/alternatives\nip link set lo up\n{ ${changes}\n} >&2\n${linkAddressesScript}${ask}`;
  const { stdout } = await execa('unshare', ['--net', '--mount', 'sh', '-eu'], { input });
  return parseNetwork(stdout, linkAddresses(stdout));
};

const link = (name: string, ...addresses: readonly string[]): string =>
  [
    `ip link add ${name} type veth peer name ${name}-far; ip link set ${name}-far up`,
    ...addresses.map((address) => `ip addr add ${address} dev ${name}`),
    `ip link set ${name} up`,
  ].join('\n');

describe.skipIf(lacks('root'))('the network of a machine', () => {
  test('has rules and the tables that they lead to', async () => {
    const { rules } = await factsAfter(`${link('mesh0', '10.80.3.4/32')}
${link('eth0', '10.0.0.5/24')}
ip rule add from all lookup 52 pref 5270
ip rule add from 10.0.0.5 lookup 101 pref 100
ip rule add to 10.244.0.0/16 lookup main pref 90
ip rule add fwmark 7 lookup 53 pref 80
ip route add 10.244.0.0/16 dev mesh0 table 52
ip route add throw 10.9.0.0/16 table 52
ip route add default via 10.0.0.1 dev eth0 table 101
ip route add 10.244.0.0/16 dev mesh0 table 53`);
    expect(rules).toEqual([
      { priority: 90, to: '10.244.0.0/16', table: 'main', afterNarrowRoutes: false, routes: [] },
      {
        priority: 100,
        from: '10.0.0.5',
        table: '101',
        afterNarrowRoutes: false,
        routes: [{ to: 'default', via: '10.0.0.1', device: 'eth0' }],
      },
      {
        priority: 5270,
        table: '52',
        afterNarrowRoutes: false,
        routes: [
          { to: '10.9.0.0/16', device: '', throws: true },
          { to: '10.244.0.0/16', device: 'mesh0' },
        ],
      },
    ]);
  });

  test('has WireGuard after the narrow routes of the main table', async () => {
    const { rules } = await factsAfter(`${link('wg0', '10.8.0.2/24')}
ip rule add not fwmark 51820 lookup 51820 pref 32765
ip rule add from all lookup main suppress_prefixlength 0 pref 32764
ip route add default dev wg0 table 51820`);
    expect(rules).toEqual([
      { priority: 32765, table: '51820', afterNarrowRoutes: true, routes: [{ to: 'default', device: 'wg0' }] },
    ]);
  });

  test('has the tables after the main one where they have routes', async () => {
    const { rules, laterRules } = await factsAfter(`${link('eth0', '10.0.0.5/24')}
ip route add default via 10.0.0.1 dev eth0 table default
ip rule add from all lookup 9 pref 40000`);
    expect(rules).toEqual([]);
    expect(laterRules).toEqual([
      {
        priority: 32767,
        table: 'default',
        afterNarrowRoutes: false,
        routes: [{ to: 'default', via: '10.0.0.1', device: 'eth0' }],
      },
    ]);
  });

  test('has links with their packet sizes and addresses, in the order of the kernel', async () => {
    const { links } = await factsAfter(`${link('eth0', '10.0.0.5/24', '10.0.0.6/24')}\nip link set eth0 mtu 1400`);
    expect(links.find(({ name }) => name === 'eth0')).toEqual({
      name: 'eth0',
      mtu: 1400,
      addresses: ['10.0.0.5/24', '10.0.0.6/24'],
      isClosed: false,
    });
  });

  test('has links that are point to point, with the address alone', async () => {
    const { links } = await factsAfter(`${link('tun0')}\nip addr add 10.8.0.6 peer 10.8.0.5/32 dev tun0`);
    expect(links.find(({ name }) => name === 'tun0')?.addresses).toEqual(['10.8.0.6/32']);
  });

  test('has links that forward nothing although the kernel does', async () => {
    const close = `${link('eth0.7')}\n${link('eth1')}\nsysctl() { echo "$2" > "/proc/sys/net/ipv4/$1"; }
sysctl ip_forward 1\nsysctl conf/eth0.7/forwarding 0`;
    const closed = async (changes: string) =>
      (await factsAfter(changes)).links.filter(({ isClosed }) => isClosed).map(({ name }) => name);
    expect(await closed(close)).toEqual(['eth0.7']);
    expect(await closed(`${link('eth1')}\necho 0 > /proc/sys/net/ipv4/ip_forward`)).toEqual([]);
  });

  test('tells the way to each address that it is asked about', async () => {
    const changes = `${link('eth0', '10.0.0.5/24', '10.0.0.6/24')}\nip route add 10.1.0.0/16 via 10.0.0.1`;
    const { paths } = await factsAfter(changes, { to: ['10.0.0.9', '10.1.0.9', '10.2.0.9'] });
    expect(paths).toEqual([
      { to: '10.0.0.9', from: '10.0.0.5', device: 'eth0' },
      { to: '10.1.0.9', from: '10.0.0.5', device: 'eth0', via: '10.0.0.1' },
      { to: '10.2.0.9', error: 'Network is unreachable' },
    ]);
  });

  test('has lines for names in /etc/hosts, in any case, and in what cloud-init makes it from', async () => {
    const changes = `printf '%s\\n' '127.0.0.1 localhost' '10.0.0.9 old API.lan. api.lan # before' '#10.0.0.9 api.lan' \\
  '  fd00::9	api.lan' '10.0.0.7 w-0' '10.0.0.8 api.lan # kbs' > /etc/hosts
mkdir -p /etc/cloud/templates; echo '127.0.1.1 {{fqdn}} api.lan' > /etc/cloud/templates/hosts.debian.tmpl`;
    const { hostsLines } = await factsAfter(changes, { names: ['api.LAN'] });
    const line = (file: string, number: number, address: string, names: string, isOwn = false) => ({
      file,
      line: number,
      address,
      names: names.split(' '),
      isOwn,
    });
    expect(hostsLines).toEqual([
      line('/etc/hosts', 2, '10.0.0.9', 'old api.lan. api.lan'),
      line('/etc/hosts', 4, 'fd00::9', 'api.lan'),
      line('/etc/hosts', 6, '10.0.0.8', 'api.lan', true),
      line('/etc/cloud/templates/hosts.debian.tmpl', 1, '127.0.1.1', '{{fqdn}} api.lan'),
    ]);
  });

  test('tells which addresses it has for a name, or that it has none', async () => {
    const changes = `${link('eth0', '10.0.0.5/24')}
printf '%s\\n' '10.0.0.8 api.lan' 'fd00::9 other.lan' > /etc/hosts
echo 'hosts: files' > /etc/nsswitch.conf`;
    const { resolved } = await factsAfter(changes, { resolve: ['api.lan', 'other.lan'] });
    expect(resolved).toEqual([
      { name: 'api.lan', addresses: ['10.0.0.8'] },
      { name: 'other.lan', addresses: [] },
    ]);
  });

  test('tells nothing of names where it cannot resolve any', async () => {
    const { resolved } = await factsAfter('command() { return 1; }', { resolve: ['api.lan'] });
    expect(resolved).toEqual([]);
  });

  test('is no reason to fail where nothing is there', async () => {
    expect(await factsAfter('ip() { return 1; }', { to: ['10.0.0.9'], names: ['a'] })).toMatchObject({
      rules: [],
      hostsLines: [],
    });
  });
});

test.skipIf(lacks('root'))('a port that takes connections is told from one that does not', async () => {
  const listen = `${process.execPath} -e 'require("net").createServer().listen(2379, "127.0.0.1", () => console.error("listens"))' & server=$!
until ss -Hltn 'sport = :2379' | grep -q .; do sleep 0.1; done; trap 'kill $server' EXIT`;
  const connect = ['https://127.0.0.1:2379', 'https://127.0.0.1:2380'];
  expect((await factsAfter(listen, { connect })).connections).toEqual([
    { to: 'https://127.0.0.1:2379', open: true },
    { to: 'https://127.0.0.1:2380', open: false },
  ]);
});
