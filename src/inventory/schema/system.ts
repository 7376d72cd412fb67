import { serverName } from '../formats.js';
import { choice, keys, list, text } from './fields.js';

/** What becomes of the swap of all nodes, or of one. */
export const swap = (description: string) =>
  keys(
    'Swap',
    {
      behavior: choice(
        ['none', 'NoSwap', 'LimitedSwap'],
        '`none`: kbs switches swap off. `NoSwap`: the host keeps its swap, and pods use none. `LimitedSwap`: pods whose requests are below their limits use a share of it, by the memory that they request.',
      ),
    },
    description,
  );

/** OS packages of all hosts, or of one. */
export const packages = (description: string) =>
  keys(
    'Packages',
    {
      source: choice(
        ['auto', 'bundle', 'host', 'none'],
        "Where they come from. `host`: the host's own package sources, by apt or dnf. `bundle`: the bundle, as far as it has those of the host's distribution. `auto`: the host's own sources, else the bundle. `none`: you install them. Default: `auto`.",
      ),
    },
    description,
  );

/** The clocks of all hosts, or of one. */
export const time = (description: string) =>
  keys(
    'Time',
    {
      servers: list(
        text(serverName, 'A DNS name or an IPv4 address.'),
        '[ntp.lan, 192.168.10.1]',
        'The time servers that the host asks, by systemd-timesyncd or chrony, whichever it has.',
      ).min(1, { error: () => 'has no server; write a list like [ntp.lan]' }),
    },
    description,
  );
