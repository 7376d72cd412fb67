import { sh } from '../shell.js';
import { splitOnce } from './lines.js';
import { type LiveRoute, liveRoute } from './route.js';

/** What a host says of IPv6. */
export interface Ipv6Facts {
  /** The kernel has IPv6. */
  readonly isThere: boolean;
  /** Interfaces on which it is switched off; `all` where it is for every one. */
  readonly disabledLinks: readonly string[];
  /** Global ones, `address/prefix`, with their interface. A duplicate is one that another machine has too. */
  readonly addresses: readonly Ipv6Address[];
  /** Of the main table. */
  readonly routes: readonly LiveRoute[];
  /** Interfaces whose default route comes by router advertisements that the kernel itself listens to. */
  readonly advertisedLinks: readonly string[];
}

export interface Ipv6Address {
  readonly link: string;
  readonly address: string;
  readonly isDuplicate: boolean;
}

/**
 * Prints one `key value` line per fact. systemd-networkd and NetworkManager listen to advertisements by themselves, and
 * set accept_ra to 0. An interface with 2 goes on listening where the kernel forwards, with or without a route just now.
 */
export const ipv6Script = sh`if [ -d /proc/sys/net/ipv6/conf ]; then
  fact ipv6 yes
  grep -lx 1 /proc/sys/net/ipv6/conf/*/disable_ipv6 2>/dev/null | sed 's/^/ipv6disabled /' || :
  ip -6 -o addr show scope global 2>/dev/null | while read -r _ link _ address flags; do
    fact ipv6address "$link $address $flags"
  done
  ip -6 route show table main 2>/dev/null | while read -r route; do fact ipv6route "$route"; done
  grep -lx 2 /proc/sys/net/ipv6/conf/*/accept_ra 2>/dev/null | sed 's/^/ipv6advertised /' || :
  ip -6 route show default proto ra 2>/dev/null | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p' | while read -r link; do
    if grep -qsx 1 "/proc/sys/net/ipv6/conf/$link/accept_ra"; then
      fact ipv6advertised "/proc/sys/net/ipv6/conf/$link/accept_ra"
    fi
  done
else
  fact ipv6 no
fi
`;

/** Reads what `ipv6Script` printed, if it has; `all` gives the values of a key. */
export const parseIpv6 = (all: (key: string) => readonly string[]): Ipv6Facts | undefined =>
  all('ipv6').length === 0 ? undefined : factsIn(all);

const factsIn = (all: (key: string) => readonly string[]): Ipv6Facts => ({
  isThere: all('ipv6').includes('yes'),
  disabledLinks: all('ipv6disabled').map(linkOf),
  addresses: all('ipv6address').map((value) => {
    const [link, rest] = splitOnce(value);
    const [address = '', ...flags] = rest.split(' ').filter(Boolean);
    return {
      link,
      address: address.includes('/') ? address : `${address}/128`,
      isDuplicate: flags.includes('dadfailed'),
    };
  }),
  routes: all('ipv6route').flatMap(liveRoute),
  advertisedLinks: [...new Set(all('ipv6advertised').map(linkOf))].filter((link) => !['all', 'default'].includes(link)),
});

/** `/proc/sys/net/ipv6/conf/LINK/NAME` */
const linkOf = (path: string): string => path.split('/').at(-2) ?? '';
