import { parseCidr } from '../inventory/addresses.js';
import type { Cluster } from '../inventory/cluster.js';
import { routersOf } from './segments-graph.js';

/** A table of nftables, as the resource of that kind wants it. */
export interface MasqueradeTable {
  readonly family: 'ip';
  readonly name: string;
  /** The whole block, byte for byte as `nft list table ip kbs` prints it (nft(8)). */
  readonly text: string;
}

/**
 * The table that hides pod addresses from whoever does not know the way back: pods keep their own address towards pods,
 * Services and every segment whose gateway has routes to pods, and take their host's address towards anything else.
 *
 * A segment's gateway counts and not its hosts: a worker that joins or leaves changes no table of another host. One rule
 * per network instead of a set: nft merges and folds sets as it likes, but prints a plain rule as written.
 */
export const masqueradeTable = (cluster: Cluster): MasqueradeTable => {
  const { network } = cluster;
  const inside = [network.pods, network.services, ...segmentsThatAnswer(cluster), multicast];
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
 * Machines that are no hosts of the cluster send their answers to their gateway. It has routes to pods where it is
 * managed, and where it joins segments, as pods of different segments then need it. A home router in front of a single
 * segment has none, and need not.
 */
const segmentsThatAnswer = (cluster: Cluster): readonly string[] => {
  const informed = routersOf(cluster)
    .filter(({ managed, addresses }) => managed || Object.keys(addresses).length > 1)
    .flatMap(({ addresses }) => Object.values(addresses));
  return cluster.network.segments.flatMap(({ cidr, gateway }) =>
    gateway !== undefined && informed.includes(gateway) ? [cidr] : [],
  );
};

/** Link-local by nature on a bridge; and bridged packets pass this hook too where br_netfilter is on. */
const multicast = '224.0.0.0/4';

/** nft drops the prefix length of a single address. */
const printed = (cidr: string): string => (parseCidr(cidr)?.size === 1 ? cidr.replace('/32', '') : cidr);
