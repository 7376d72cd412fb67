import { familyOf } from '../inventory/addresses.js';
import type { Cluster } from '../inventory/cluster.js';
import { familiesOf, routersOf } from './segments-graph.js';

/** A table of nftables, in the shape of a resource of that kind. */
export interface MasqueradeTable {
  readonly family: 'ip' | 'ip6';
  readonly name: string;
  /** The whole block, byte for byte as `nft list table` prints it (nft(8)). */
  readonly text: string;
}

/**
 * The tables, one for each family, that masquerade pods towards networks without a route back to them: pods keep their own address towards
 * pods, Services and every segment whose gateway has routes to pods, and take their host's address towards all others.
 *
 * It follows from the gateways of segments, not from hosts: a worker that joins or leaves changes no table of another
 * host. One rule per network instead of a set: nft merges the elements of a set, but prints a plain rule as written.
 */
export const masqueradeTables = (cluster: Cluster): readonly MasqueradeTable[] => familiesOf(cluster).map(tableOf);

const tableOf = (cluster: Cluster): MasqueradeTable => {
  const { network } = cluster;
  const family = familyOf(network.pods) === 'ipv6' ? 'ip6' : 'ip';
  const inside = [network.pods, network.services, ...segmentsWithRoutes(cluster), ...ownOfLinks[family]];
  const rules = [
    'type nat hook postrouting priority srcnat; policy accept;',
    `${family} saddr != ${network.pods} return`,
    ...inside.map((cidr) => `${family} daddr ${printed(cidr)} return`),
    'masquerade',
  ];
  const lines = [`table ${family} kbs {`, '\tchain postrouting {', ...rules.map((rule) => `\t\t${rule}`), '\t}', '}'];
  return { family, name: 'kbs', text: `${lines.join('\n')}\n` };
};

/**
 * The segments whose gateway has routes to pods: machines there that are no hosts of the cluster send their answers to
 * it. A gateway has such routes where it is managed, and where it joins segments, because pods of different segments
 * then need it. A home router in front of a single segment has none, and needs none.
 */
const segmentsWithRoutes = (cluster: Cluster): readonly string[] => {
  const gateways = routersOf(cluster)
    .filter(({ managed, addresses }) => managed || Object.keys(addresses).length > 1)
    .flatMap(({ addresses }) => Object.values(addresses));
  return cluster.network.segments.flatMap(({ cidr, gateway }) =>
    gateway !== undefined && gateways.includes(gateway) ? [cidr] : [],
  );
};

/** What stays on its link; bridged packets pass this hook too where br_netfilter is on. */
const ownOfLinks = { ip: ['224.0.0.0/4'], ip6: ['fe80::/10', 'ff00::/8'] } as const;

/** nft drops the prefix length of a single address. */
const printed = (cidr: string): string => cidr.replace(familyOf(cidr) === 'ipv6' ? /\/128$/ : /\/32$/, '');
