import { familyOf, networkOf, prefixLength } from '../inventory/addresses.js';
import type { KernelRoute } from '../inventory/cluster.js';

export interface RouterDialect {
  /** The name of the router's system, for a heading. */
  readonly title: string;
  /** Commands that set these routes, and keep them over a reboot where the dialect can; ready to paste. */
  print(routes: readonly KernelRoute[]): string;
}

/**
 * The router configurations that kbs prints, by name. Sources: ip-route(8); docs.frrouting.org, "Static Route Commands";
 * docs.vyos.io, "Static Routes"; the IOS command reference, `ip route` and `ipv6 route`.
 */
export const dialects = {
  'ip-route': {
    title: 'Linux (iproute2)',
    print: (routes) =>
      lines(routes.map(({ to, via, why }) => `${isIpv6(to) ? 'ip -6' : 'ip'} route replace ${to} via ${via} # ${why}`)),
  },
  frr: {
    title: 'FRRouting (vtysh)',
    print: (routes) =>
      lines([
        'configure terminal',
        ...routes.flatMap(({ to, via, why }) => [`! ${why}`, `${isIpv6(to) ? 'ipv6' : 'ip'} route ${to} ${via}`]),
        'end',
        'write memory',
      ]),
  },
  vyos: {
    title: 'VyOS',
    print: (routes) =>
      lines([
        'configure',
        ...routes.map(({ to, via }) => `set protocols static ${isIpv6(to) ? 'route6' : 'route'} ${to} next-hop ${via}`),
        'commit',
        'save',
        'exit',
      ]),
  },
  'cisco-ios': {
    title: 'Cisco IOS',
    print: (routes) =>
      lines([
        'configure terminal',
        ...routes.flatMap(({ to, via, why }) => [
          `! ${why}`,
          isIpv6(to) ? `ipv6 route ${to} ${via}` : `ip route ${addressAndMask(to)} ${via}`,
        ]),
        'end',
        'write memory',
      ]),
  },
} as const satisfies Readonly<Record<string, RouterDialect>>;

export type Dialect = keyof typeof dialects;

const isIpv6 = (cidr: string): boolean => familyOf(cidr) === 'ipv6';

const lines = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join('');

/** `10.244.64.0 255.255.192.0`. The mask is the network address of 255.255.255.255 with that prefix length. */
const addressAndMask = (cidr: string): string => {
  const mask = networkOf(`255.255.255.255/${prefixLength(cidr)}`);
  return [cidr, mask].map((text) => text.slice(0, text.indexOf('/'))).join(' ');
};
