import type { Cable, HostSpec } from '../spec.js';

/** What gives the links of a guest their addresses. */
export type NetworkDaemon = 'ifupdown' | 'NetworkManager';

interface Configuration {
  /** From the root, without a leading slash. */
  readonly path: string;
  readonly content: string;
  readonly mode?: number;
}

/** The files by which a guest's links get the addresses of the inventory, and the way to the other segments. */
export const linkFiles = (host: HostSpec, daemon: NetworkDaemon): readonly Configuration[] =>
  daemon === 'ifupdown' ? [interfaces(host)] : host.cables.map((cable, index) => connection(host, cable, index));

/** interfaces(5). */
const interfaces = (host: HostSpec): Configuration => ({
  path: 'etc/network/interfaces',
  content: [
    'auto lo\niface lo inet loopback\n',
    ...host.cables.map(
      ({ link, address, ipv6 }, index) =>
        `auto ${link}\niface ${link} inet static\n  address ${address}\n${gatewayOf(host.gateway, index, (via) => `  gateway ${via}\n`)}${
          ipv6 === undefined
            ? ''
            : `iface ${link} inet6 static\n  address ${ipv6}\n${gatewayOf(host.ipv6Gateway, index, (via) => `  gateway ${via}\n`)}`
        }`,
    ),
  ].join('\n'),
});

/** nm-settings-keyfile(5); a file that others may read is ignored. */
const connection = (host: HostSpec, { link, address, ipv6 }: Cable, index: number): Configuration => ({
  path: `etc/NetworkManager/system-connections/${link}.nmconnection`,
  mode: 0o600,
  content: `[connection]
id=${link}
type=ethernet
interface-name=${link}

[ipv4]
method=manual
address1=${address}${gatewayOf(host.gateway, index, (via) => `,${via}`)}

[ipv6]
${ipv6 === undefined ? 'method=disabled' : `method=manual\naddress1=${ipv6}${gatewayOf(host.ipv6Gateway, index, (via) => `,${via}`)}`}
`,
});

/** The first link is the one of the host's own segment, whose gateway leads to the others. */
const gatewayOf = (gateway: string | undefined, index: number, text: (via: string) => string): string =>
  index === 0 && gateway !== undefined ? text(gateway) : '';
