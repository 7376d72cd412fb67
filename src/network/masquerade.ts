import { parseCidr } from '../inventory/addresses.js';
import type { Cluster } from '../inventory/cluster.js';
import { routersOf } from './segments-graph.js';

/** A table of nftables, in the shape of a resource of that kind. */
export interface MasqueradeTable {
  readonly family: 'ip';
  readonly name: string;
  /** The whole block, byte for byte as `nft list table ip kbs` prints it (nft(8)). */
  readonly text: string;
}

/**
 * The table that masquerades pods towards networks without a route back to them: pods keep their own address towards
 * pods, Services and every segment whose gateway has routes to pods, and take their host's address towards all others.
 *
 * It follows from the gateways of segments, not from hosts: a worker that joins or leaves changes no table of another
 * host. One rule per network instead of a set: nft merges the elements of a set, but prints a plain rule as written.
 */
export const masqueradeTable = (cluster: Cluster): MasqueradeTable => {
  const { network } = cluster;
  const inside = [network.pods, network.services, ...segmentsWithRoutes(cluster), multicast];
  const rules = [
    'type nat hook postrouting priority srcnat; policy accept;',
    `ip saddr != ${network.pods} return`,
    ...inside.map((cidr) => `ip daddr ${printed(cidr)} return`),
    'masquerade',
  ];
  const lines = ['table ip kbs {', '\tchain postrouting {', ...rules.map((rule) => `\t\t${rule}`), '\t}', '}'];
  return { family: 'ip', name: 'kbs', text: `${lines.join('\n')}\n` };
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

/** Multicast stays on its link; bridged packets pass this hook too where br_netfilter is on. */
const multicast = '224.0.0.0/4';

/** nft drops the prefix length of a single address. */
const printed = (cidr: string): string => (parseCidr(cidr)?.size === 1 ? cidr.replace('/32', '') : cidr);
