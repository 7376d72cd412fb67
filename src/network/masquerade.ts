import { parseCidr } from '../inventory/addresses.js';
import type { Cluster } from '../inventory/cluster.js';

/** A table of nftables, as the resource of that kind wants it. */
export interface MasqueradeTable {
  readonly family: 'ip';
  readonly name: string;
  /** The whole block, byte for byte as `nft list table ip kbs` prints it (nft(8)). */
  readonly text: string;
}

/**
 * The table that hides pod addresses from the world outside: pods keep their own address towards pods, Services and
 * every segment, and take their host's address towards anything else.
 *
 * One rule per network instead of a set: nft merges and folds sets as it likes, but prints a plain rule as written.
 */
export const masqueradeTable = ({ network }: Cluster): MasqueradeTable => {
  const inside = [network.pods, network.services, ...network.segments.map(({ cidr }) => cidr), multicast];
  const rules = [
    'type nat hook postrouting priority srcnat; policy accept;',
    `ip saddr != ${network.pods} return`,
    ...inside.map((cidr) => `ip daddr ${printed(cidr)} return`),
    'masquerade',
  ];
  const lines = ['table ip kbs {', '\tchain postrouting {', ...rules.map((rule) => `\t\t${rule}`), '\t}', '}'];
  return { family: 'ip', name: 'kbs', text: `${lines.join('\n')}\n` };
};

/** Link-local by nature on a bridge; and bridged packets pass this hook too where br_netfilter is on. */
const multicast = '224.0.0.0/4';

/** nft drops the prefix length of a single address. */
const printed = (cidr: string): string => (parseCidr(cidr)?.size === 1 ? cidr.replace('/32', '') : cidr);
