import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Cluster, ClusterHost } from '../../../src/inventory/cluster.js';
import { lanDns, lanZones } from '../../../src/phases/lan-dns/lan-dns.js';
import { zonesOf } from '../../../src/phases/lan-dns/lan-zones.js';
import { clusterOf, hostOf } from '../../support/cluster.js';
import { contextOf } from '../../support/site.js';

const dns = (name: string, address: string): ClusterHost =>
  hostOf({ name, address, segment: 'office', roles: ['dns'] });

const base = clusterOf();
const lan = (overrides: Partial<Cluster> = {}): Cluster =>
  clusterOf({
    zone: 'lan.internal',
    hosts: [dns('dns-00', '192.168.10.3'), dns('dns-01', '192.168.10.4'), ...base.hosts],
    ...overrides,
  });

/** Its segments' CIDRs instead of those of the cluster, one host in each. */
const withSegments = (cidrs: readonly string[], addresses: readonly string[]): Cluster =>
  lan({
    network: {
      ...base.network,
      segments: cidrs.map((cidr, index) => ({ name: `s${index}`, cidr, podCidr: `10.244.${index}.0/24`, capacity: 1 })),
    },
    hosts: addresses.map((address, index) =>
      hostOf({ name: `h${index}`, address, segment: `s${index}`, roles: ['dns'] }),
    ),
  });

const named = (cluster: Cluster, api: string, address = '192.168.10.5'): Cluster => ({
  ...cluster,
  endpoint: { host: api, name: api, port: 6443, address },
});

const records = (cluster: Cluster, zone: string): readonly string[] =>
  (zonesOf(cluster).find(({ name }) => name === zone)?.content ?? '')
    .split('\n')
    .filter((line) => / IN (A|PTR) /.test(line));

describe('the zones of the LAN', () => {
  it('begin with a SOA record and an NS record for every DNS host', () => {
    const [zone] = zonesOf(lan());
    expect(zone?.content.split('\n').slice(0, 5)).toEqual([
      '; Written by kbs: lan.internal. The serial grows with every change.',
      '$TTL 60',
      'lan.internal. IN SOA dns-00.lan.internal. hostmaster.lan.internal. @SERIAL@ 3600 600 604800 30',
      'lan.internal. IN NS dns-00.lan.internal.',
      'lan.internal. IN NS dns-01.lan.internal.',
    ]);
  });

  it('have a record for every host, and for a router one more at each of its addresses', () => {
    expect(records(lan(), 'lan.internal')).toEqual([
      'dns-00.lan.internal. IN A 192.168.10.3',
      'dns-01.lan.internal. IN A 192.168.10.4',
      'controller-00.lan.internal. IN A 192.168.10.10',
      'worker-office-00.lan.internal. IN A 192.168.10.20',
      'worker-rack-00.lan.internal. IN A 192.168.20.20',
      'edge.lan.internal. IN A 192.168.10.1',
      'edge-office.lan.internal. IN A 192.168.10.1',
      'edge-rack.lan.internal. IN A 192.168.20.1',
    ]);
    expect(records(lan(), '20.168.192.in-addr.arpa')).toEqual([
      '20.20.168.192.in-addr.arpa. IN PTR worker-rack-00.lan.internal.',
      '1.20.168.192.in-addr.arpa. IN PTR edge-rack.lan.internal.',
    ]);
  });

  it('have the name of the API and the PTR record of its address', () => {
    const cluster = named(lan(), 'api.lan.internal');
    expect(records(cluster, 'lan.internal')[0]).toBe('api.lan.internal. IN A 192.168.10.5');
    expect(records(cluster, '10.168.192.in-addr.arpa').at(-1)).toBe(
      '5.10.168.192.in-addr.arpa. IN PTR api.lan.internal.',
    );
  });

  it('have a PTR record for the host where the API has the address of a host', () => {
    const cluster = named(lan(), 'api.lan.internal', '192.168.10.10');
    expect(records(cluster, '10.168.192.in-addr.arpa').join()).not.toContain('api');
  });

  it('resolve a name conflict in favour of the API, then of a host, then of an interface', () => {
    const twin = hostOf({ name: 'edge-rack', address: '192.168.20.9', segment: 'rack' });
    const cluster = named(lan({ hosts: [...lan().hosts, twin] }), 'worker-rack-00.lan.internal');
    const lines = records(cluster, 'lan.internal');
    expect(lines.filter((line) => line.startsWith('edge-rack.'))).toEqual([
      'edge-rack.lan.internal. IN A 192.168.20.9',
    ]);
    expect(lines.filter((line) => line.startsWith('worker-rack-00.'))).toEqual([
      'worker-rack-00.lan.internal. IN A 192.168.10.5',
    ]);
  });

  it('have the records of the inventory, which change no zone that leads back from addresses', () => {
    const before = named(lan(), 'api.lan.internal');
    const cluster: Cluster = {
      ...before,
      records: [
        { name: 'grafana', value: 'VIP' },
        { name: '*.apps', value: 'VIP' },
        { name: 'nas', value: '192.168.10.60' },
        { name: 'build', value: 'worker-rack-00' },
        // No inventory has it: the name of a host is that host's.
        { name: 'edge', value: 'VIP' },
      ],
    };
    expect(records(cluster, 'lan.internal').slice(records(before, 'lan.internal').length)).toEqual([
      'grafana.lan.internal. IN A 192.168.10.5',
      '*.apps.lan.internal. IN A 192.168.10.5',
      'nas.lan.internal. IN A 192.168.10.60',
      'build.lan.internal. IN A 192.168.20.20',
    ]);
    expect(zonesOf(cluster).slice(1)).toEqual(zonesOf(before).slice(1));
  });

  it('include one more for a name of the API outside of the zone, which leaves other names there alone', () => {
    const zones = zonesOf(named(lan(), 'k8s.example.com'));
    expect(zones.map(({ name, shared }) => `${name} ${shared}`)).toEqual([
      'lan.internal false',
      'k8s.example.com true',
      '10.168.192.in-addr.arpa false',
      '20.168.192.in-addr.arpa false',
    ]);
    expect(zones[1]?.content).toContain('\nk8s.example.com. IN SOA dns-00.lan.internal. ');
    expect(zones[1]?.content).toContain('\nk8s.example.com. IN A 192.168.10.5\n');
  });

  it.each([
    ['whole octets', ['10.1.2.0/24'], ['10.1.2.9'], ['2.1.10.in-addr.arpa']],
    ['more than an octet', ['10.1.0.0/16'], ['10.1.2.9'], ['1.10.in-addr.arpa']],
    ['less than an octet', ['10.1.2.64/26'], ['10.1.2.70'], ['2.1.10.in-addr.arpa shared']],
    ['an octet and a half', ['10.1.128.0/20'], ['10.1.130.9'], ['1.10.in-addr.arpa shared']],
    ['almost everything', ['10.0.0.0/7'], ['11.1.2.9'], ['in-addr.arpa shared']],
    ['one address', ['10.1.2.9/32'], ['10.1.2.9'], ['2.1.10.in-addr.arpa shared']],
    ['two in one octet', ['10.1.2.0/26', '10.1.2.64/26'], ['10.1.2.9', '10.1.2.70'], ['2.1.10.in-addr.arpa shared']],
    [
      'one within the octet of another',
      ['10.1.128.0/17', '10.1.2.0/24'],
      ['10.1.130.9', '10.1.2.9'],
      ['1.10.in-addr.arpa shared', '2.1.10.in-addr.arpa'],
    ],
  ])('hold the addresses of segments of %s', (_, cidrs, addresses, expected) => {
    const cluster = withSegments(cidrs, addresses);
    const zones = zonesOf(cluster).slice(1);
    expect(zones.map(({ name, shared }) => (shared ? `${name} shared` : name))).toEqual(expected);
    const pointers = zones.flatMap(({ name }) => records(cluster, name).map((line) => line.split(' ')[0]));
    const owners = addresses.map((address) => `${address.split('.').toReversed().join('.')}.in-addr.arpa.`);
    expect(pointers.toSorted()).toEqual(owners.toSorted());
  });

  it('have every record in the zone in which a server searches for it, for any segments', () => {
    const anySegment = fc.tuple(
      fc.integer({ min: 8, max: 30 }),
      fc.nat(255),
      fc.nat(255),
      fc.integer({ min: 1, max: 254 }),
    );
    fc.assert(
      fc.property(fc.array(anySegment, { minLength: 1, maxLength: 4 }), (drawn) => {
        const addresses = drawn.map(([, b, c, d], index) => `${10 + index}.${b}.${c}.${d}`);
        const cluster = withSegments(
          drawn.map(([length], index) => `${networkOf(addresses[index] ?? '', length)}/${length}`),
          addresses,
        );
        const zones = zonesOf(cluster);
        for (const { name, content } of zones) {
          for (const line of content.split('\n').filter((text) => / IN (A|PTR) /.test(text))) {
            const owner = line.split(' ')[0]?.slice(0, -1) ?? '';
            const holders = zones.filter((zone) => owner === zone.name || owner.endsWith(`.${zone.name}`));
            expect(holders.toSorted((a, b) => b.name.length - a.name.length)[0]?.name).toBe(name);
          }
        }
        expect(zones.flatMap(({ content }) => content.match(/ IN PTR /g) ?? [])).toHaveLength(addresses.length);
      }),
    );
  });
});

const networkOf = (address: string, length: number): string => {
  const number = address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const network = number - (number % 2 ** (32 - length));
  return [24, 16, 8, 0].map((shift) => Math.floor(network / 2 ** shift) % 256).join('.');
};

describe('the server of the LAN', () => {
  const corefileOf = (cluster: Cluster, nameservers: readonly string[] = []): string => {
    const [host] = cluster.hosts;
    if (!host) throw new Error('no host');
    const file = lanDns.resources(host, contextOf(cluster, { nameservers })).find(isFile);
    return file?.kind === 'file' ? String(file.content) : '';
  };
  const isFile = ({ kind }: { readonly kind: string }) => kind === 'file';

  it.each([
    ['those of the inventory', ['192.0.2.53'], ['192.0.2.1'], 'forward . 192.0.2.53 {'],
    ["the host's own where there are none", [], ['192.0.2.1', '192.0.2.2'], 'forward . 192.0.2.1 192.0.2.2 {'],
    ['never itself', [], ['192.168.10.3', '192.0.2.1'], 'forward . 192.0.2.1 {'],
    ['never another one of the LAN', [], ['192.168.10.4', '192.0.2.1'], 'forward . 192.0.2.1 {'],
  ])('asks for the rest %s', (_, upstreams, nameservers, expected) => {
    expect(corefileOf(lan({ upstreams }), nameservers)).toContain(`    ${expected}`);
  });

  it('forwards nothing where no upstream is known', () => {
    expect(corefileOf(lan(), ['192.168.10.4'])).not.toMatch(/forward|fallthrough/);
  });

  it('keeps its Corefile when a host is added, so that it is not restarted', () => {
    const more = lan({ hosts: [...lan().hosts, hostOf({ name: 'new', address: '192.168.10.99', segment: 'office' })] });
    expect(corefileOf(more)).toBe(corefileOf(lan()));
    const [host] = more.hosts;
    const zones = (cluster: Cluster) => (host ? lanZones.resources(host, contextOf(cluster)) : []);
    expect(zones(more)).not.toEqual(zones(lan()));
  });

  it('has another DNS server that answers as its precondition, and none where it is alone', () => {
    const [first, , ...others] = lan().hosts;
    if (!first) throw new Error('no host');
    const waitsFor = (cluster: Cluster) =>
      lanDns.rolling?.(first, contextOf(cluster))?.preconditions.map(({ test }) => test) ?? [];
    expect(waitsFor(lan()).join()).toContain('192.168.10.4');
    expect(waitsFor(lan()).join()).not.toContain('192.168.10.3');
    expect(waitsFor(lan({ hosts: [first, ...others] }))).toEqual([]);
  });
});
