import { contains, prefixLength } from '../../inventory/addresses.js';
import { type Cluster, dnsServers } from '../../inventory/cluster.js';
import { recordsOf } from '../../inventory/lan-services.js';
import { render } from '../../templates/render.js';

/** A zone that the DNS servers of the LAN answer for. */
export interface LanZone {
  /** Without a dot at its end. */
  readonly name: string;
  /** A zone file (RFC 1035), with `@SERIAL@` where its serial goes. */
  readonly content: string;
  /** Whether it may hold other names too: those are then asked of the upstream resolvers. */
  readonly shared: boolean;
}

/**
 * The zone of the LAN with every host, the name of the API and the records of the inventory; a zone of its own for the
 * API's name where it lies outside; and the zones that lead from addresses back to names of hosts and the API.
 *
 * A segment has one reverse zone, cut at the octet above its prefix, which may hold addresses of others: those of
 * 192.168.40.0/26 are in 40.168.192.in-addr.arpa. Delegating less than an octet (RFC 2317) needs a zone above, which a LAN
 * does not have.
 */
export const zonesOf = (cluster: Cluster): readonly LanZone[] => {
  const { zone = '' } = cluster;
  const { api, hosts, interfaces } = namesOf(cluster);
  const records = recordsOf(cluster).map(({ name, address }): Pair => [name, address]);
  const names = firstOf([...api, ...hosts, ...interfaces, ...records]);
  const own = [zone, ...names.filter(([name]) => !isIn(zone, name)).map(([name]) => name)];
  return [
    ...own.map((origin) => {
      const lines = names.filter(([name]) => isIn(origin, name)).map(([name, address]) => `${name}. IN A ${address}`);
      return { name: origin, shared: origin !== zone, content: textOf(origin, cluster, lines) };
    }),
    ...reverseZones(cluster, firstOf([...hosts, ...interfaces, ...api].map(([name, address]) => [address, name]))),
  ];
};

type Pair = readonly [string, string];

/** Names in full, without a dot at their end, with their addresses. */
const namesOf = (cluster: Cluster): Readonly<Record<'api' | 'hosts' | 'interfaces', readonly Pair[]>> => {
  const { hosts, endpoint, zone } = cluster;
  const { name, address } = endpoint;
  return {
    api: name === undefined || address === undefined ? [] : [[name, address]],
    hosts: hosts.map((host) => [`${host.name}.${zone}`, host.address]),
    interfaces: hosts.flatMap((host) =>
      Object.entries(host.addresses).map(([segment, at]): Pair => [`${host.name}-${segment}.${zone}`, at]),
    ),
  };
};

/** The first pair of each key. */
const firstOf = (pairs: readonly Pair[]): readonly Pair[] => {
  const seen = new Map<string, string>();
  for (const [key, value] of pairs) if (!seen.has(key)) seen.set(key, value);
  return [...seen];
};

const isIn = (zone: string, name: string): boolean => name === zone || name.endsWith(`.${zone}`);

const textOf = (origin: string, cluster: Cluster, records: readonly string[]): string => {
  const servers = dnsServers(cluster).map(({ name }) => `${name}.${cluster.zone}`);
  return render('lan-zone', { origin, zone: cluster.zone ?? '', primary: servers[0] ?? '', servers, records });
};

const reverseZones = (cluster: Cluster, pointers: readonly Pair[]): readonly LanZone[] => {
  const cidrs = cluster.network.segments.map(({ cidr }) => cidr);
  const zones = [...new Set(cidrs.map(reverseZoneOf))];
  /** A server asks the zone with the longest name. */
  const zoneOf = (name: string) => zones.filter((zone) => isIn(zone, name)).toSorted((a, b) => b.length - a.length)[0];
  const records = pointers
    .filter(([address]) => cidrs.some((cidr) => contains(cidr, address)))
    .map(([address, name]) => ({ owner: reversed(address), name }));
  return zones.map((zone) => ({
    name: zone,
    shared: cidrs.some((cidr) => reverseZoneOf(cidr) === zone && prefixLength(cidr) !== 8 * octetsIn(zone)),
    content: textOf(
      zone,
      cluster,
      records.filter(({ owner }) => zoneOf(owner) === zone).map(({ owner, name }) => `${owner}. IN PTR ${name}.`),
    ),
  }));
};

/** The zone that holds a segment's addresses: its whole octets, three at most. */
const reverseZoneOf = (cidr: string): string => {
  const octets = Math.min(3, Math.floor(prefixLength(cidr) / 8));
  return [...cidr.split('.').slice(0, octets).toReversed(), 'in-addr.arpa'].join('.');
};

const octetsIn = (reverseZone: string): number => reverseZone.split('.').length - 2;

/** The name under which an address is asked for, 192.0.2.1 → 1.2.0.192.in-addr.arpa. */
const reversed = (address: string): string => `${address.split('.').toReversed().join('.')}.in-addr.arpa`;
