import { sh } from '../shell.js';
import { splitOnce } from './lines.js';

/** An IPv4 address of an interface. */
export interface LinkAddress {
  /** `address/prefix`. */
  readonly address: string;
  readonly link: string;
  /** `global`, `link`, `host`: where the address is valid (ip-address(8)). */
  readonly scope: string;
}

/** Prints one line per address: `address 192.168.10.7/24 eth0 global`. */
export const linkAddressesScript = sh`ip -4 -o addr show 2>/dev/null |
  awk '{ for (i = 5; i < NF; i++) if ($i == "scope") print "address", $4, $2, $(i + 1) }' || :
`;

/** The addresses among the lines that a script printed. */
export const linkAddresses = (output: string): readonly LinkAddress[] =>
  output
    .split('\n')
    .map(splitOnce)
    .filter(([key]) => key === 'address')
    .map(([, value]) => {
      const [address = '', link = '', scope = ''] = value.split(' ');
      return { address: withPrefix(address), link, scope };
    });

/** Of an address with a peer, as VPNs and PPP have it, ip(8) prints no prefix: it is one by itself. */
const withPrefix = (address: string): string => (address.includes('/') ? address : `${address}/32`);
