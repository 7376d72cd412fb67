import { defined } from '../../defined.js';
import { raw, type Script, sh } from '../shell.js';
import { splitOnce } from './lines.js';
import type { LinkAddress } from './link-address.js';
import { type LiveRoute, liveRoute } from './route.js';

/** What a host says of its network, beside the addresses and routes of `Facts`. */
export interface NetworkFacts {
  /**
   * Its rules before the one for the whole main table, in the order in which the kernel goes by them: those that lead to
   * a table of their own, and those by which packets to some addresses go by the main table.
   */
  readonly rules: readonly RoutingRule[];
  /** Those after it, which count for what the main table has no route to; without those whose table is empty. */
  readonly laterRules?: readonly RoutingRule[];
  readonly links: readonly Link[];
  /** How the host sends to the addresses that it was asked about. */
  readonly paths: readonly Path[];
  /** Lines of /etc/hosts, and of what cloud-init makes it from, that give a name it was asked about an address. */
  readonly hostsLines: readonly HostsLine[];
  /** The names that it was asked to resolve, where it has the means to. */
  readonly resolved: readonly ResolvedName[];
  /** The TCP ports that it was asked to connect to. */
  readonly connections: readonly Connection[];
}

/** A rule for routes of IPv4 (ip-rule(8)). Rules for marked packets, users, interfaces and ports are not among them. */
export interface RoutingRule {
  readonly priority: number;
  /** Addresses of senders, and of receivers, that it is for; absent: all. */
  readonly from?: string;
  readonly to?: string;
  readonly table: string;
  /** The kernel goes by it only where the main table has no route narrower than a default one. */
  readonly afterNarrowRoutes: boolean;
  readonly routes: readonly LiveRoute[];
}

export interface Link {
  readonly name: string;
  /** The largest packet in bytes. */
  readonly mtu: number;
  /** `address/prefix`, of IPv4. */
  readonly addresses: readonly string[];
  /** The kernel forwards packets, and not those that come in here. */
  readonly isClosed: boolean;
}

export interface Path {
  readonly to: string;
  /** The address that packets have as their source, the interface, and the gateway; none where there is no route. */
  readonly from?: string;
  readonly device?: string;
  readonly via?: string;
  /** Why there is no route, in the words of the kernel. */
  readonly error?: string;
}

export interface HostsLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly address: string;
  readonly names: readonly string[];
  /** It has the mark of kbs. */
  readonly isOwn: boolean;
}

export interface ResolvedName {
  readonly name: string;
  /** Of IPv4; none where nothing answers for the name. */
  readonly addresses: readonly string[];
}

export interface Connection {
  /** `https://HOST:PORT`. */
  readonly to: string;
  /** Whether the port takes connections; absent where the host has no means to try it. */
  readonly open?: boolean;
}

export interface NetworkQuestions {
  /** Addresses that the host sends to. */
  readonly to: readonly string[];
  /** Names that lines of /etc/hosts may have. */
  readonly names: readonly string[];
  /** Names that the host resolves. */
  readonly resolve: readonly string[];
  /** `https://HOST:PORT`, to connect to. */
  readonly connect: readonly string[];
}

/** Prints one `key value` line per fact. */
export const networkScript = ({ to, names, resolve, connect }: NetworkQuestions): Script => sh`
ip -4 rule show 2>/dev/null | sed 's/^/rule /' || :
ip -4 rule show 2>/dev/null | sed -n 's/.* lookup \\([^[ ]*\\).*/\\1/p' | grep -vxE 'local|main' | sort -u |
  while read -r table; do ip -4 route show table "$table" 2>/dev/null | sed "s/^/tableroute $table /"; done || :
ip -o link show 2>/dev/null | awk '{ for (i = 3; i < NF; i++) if ($i == "mtu") print "link", $2, $(i + 1) }' || :
if [ "$(cat /proc/sys/net/ipv4/ip_forward 2>/dev/null || :)" = 1 ]; then
  grep -lx 0 /proc/sys/net/ipv4/conf/*/forwarding 2>/dev/null | sed 's/^/closed /' || :
fi
${raw(pathsTo(to))}
${raw(linesWith(names))}
${raw(addressesOf(resolve))}
${raw(connectionsTo(connect))}`;

function pathsTo(addresses: readonly string[]): Script {
  return addresses.length === 0
    ? sh`:`
    : sh`for address in ${addresses}; do echo "path $address" $(ip -o route get "$address" 2>&1 || :); done`;
}

/** The template of cloud-init has the same form. Names have no case (RFC 4343). */
function linesWith(names: readonly string[]): Script {
  return names.length === 0
    ? sh`:`
    : sh`for file in /etc/hosts /etc/cloud/templates/hosts.*.tmpl; do
  [ -r "$file" ] || continue
  awk -v names=${names.join(' ').toLowerCase()} '
    BEGIN { split(names, list, " "); for (i in list) wanted[list[i]] }
    { text = $0; sub(/#.*/, "", text); count = split(tolower(text), words, /[ \\t\\r]+/); first = words[1] == "" ? 2 : 1
      for (i = first + 1; i <= count; i++) if (words[i] in wanted) {
        own = $0 ~ /#[ \\t]*kbs[ \\t]*$/ ? "own" : "other"
        line = "hostsline " FILENAME " " FNR " " own
        for (j = first; j <= count; j++) line = line " " words[j]
        print line; next
      } }' "$file"
done`;
}

/** As programs resolve them; a server that does not answer takes as long as it is waited for. */
function addressesOf(names: readonly string[]): Script {
  return names.length === 0
    ? sh`:`
    : sh`if command -v getent >/dev/null; then
  for name in ${names}; do
    echo "resolved $name" $(timeout 10 getent ahostsv4 "$name" | awk '!seen[$1]++ { print $1 }' || :)
  done
fi`;
}

/** Nothing is sent there. Only bash opens a TCP connection by itself. */
function connectionsTo(urls: readonly string[]): Script {
  if (urls.length === 0) return sh`:`;
  return sh`for url in ${urls}; do
  at=\${url#https://}; host=\${at%:*}; host=\${host#[}
  if ! command -v bash >/dev/null || ! command -v timeout >/dev/null; then echo "connection $url unknown"
  elif timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2"' _ "\${host%]}" "\${at##*:}" 2>/dev/null; then echo "connection $url open"
  else echo "connection $url closed"; fi
done`;
}

/** Reads what `networkScript` printed. The addresses of links are among what `factsScript` printed. */
export const parseNetwork = (output: string, addresses: readonly LinkAddress[] = []): NetworkFacts => {
  const lines = output.split('\n').filter(Boolean).map(splitOnce);
  const all = (key: string) => lines.filter(([name]) => name === key).map(([, value]) => value);
  const routes = all('tableroute').map(splitOnce);
  const routesOf = (table: string) => routes.flatMap(([of, route]) => (of === table ? liveRoute(route) : []));
  const closed = new Set(all('closed').map((path) => path.split('/').at(-2)));
  const { before, after } = rulesIn(all('rule'));
  const withRoutes = (rule: Omit<RoutingRule, 'routes'>) => ({ ...rule, routes: routesOf(rule.table) });
  const laterRules = after.map(withRoutes).filter((rule) => rule.routes.length > 0);
  return {
    rules: before.map(withRoutes),
    ...(laterRules.length === 0 ? {} : { laterRules }),
    links: all('link').map((line) => {
      const [device, mtu] = splitOnce(line);
      const name = device.replace(/[:@].*/, '');
      return {
        name,
        mtu: Number(mtu),
        addresses: addresses.filter(({ link }) => link === name).map(({ address }) => address),
        isClosed: closed.has(name),
      };
    }),
    paths: all('path').flatMap(pathIn),
    hostsLines: all('hostsline').map((value) => {
      const [file = '', line, own, address = '', ...names] = value.split(' ').filter(Boolean);
      return { file, line: Number(line), address, names, isOwn: own === 'own' };
    }),
    resolved: all('resolved').map((value) => {
      const [name = '', ...found] = value.split(' ').filter(Boolean);
      return { name, addresses: found };
    }),
    connections: all('connection').map((value) => {
      const [to, state] = splitOnce(value);
      return { to, ...defined({ open: state === 'open' ? true : state === 'closed' ? false : undefined }) };
    }),
  };
};

/**
 * `5270: from all lookup 52`. What follows the main table decides nothing where that has a default route; the table
 * `default` is the last of it.
 * `suppress_prefixlength 0`, which WireGuard sets, leaves out the default route of the table alone.
 */
const rulesIn = (
  lines: readonly string[],
): Readonly<Record<'before' | 'after', readonly Omit<RoutingRule, 'routes'>[]>> => {
  const before: Omit<RoutingRule, 'routes'>[] = [];
  const after: Omit<RoutingRule, 'routes'>[] = [];
  let rules = before;
  let afterNarrowRoutes = false;
  for (const text of lines) {
    const [, priority, selector = '', table = '', action = ''] =
      /^(\d+):\s*(.*?)\s*lookup (\S+)\s*(.*)$/.exec(text.trim()) ?? [];
    const { from, to } = /^(?:not )?from (?<from>\S+)(?: to (?<to>\S+))?(?: fwmark \S+)?$/.exec(selector)?.groups ?? {};
    // A rule for all packets without a mark is one for all; one for those that have it is for few.
    const marked = selector.includes('fwmark') !== selector.startsWith('not ');
    if (priority === undefined || from === undefined || marked) continue;
    if (table === 'main' && from === 'all' && to === undefined) {
      if (action.includes('suppress_prefixlength')) afterNarrowRoutes = true;
      else rules = after;
    }
    if (table === 'local' || table.startsWith('[') || (table === 'main' && to === undefined)) continue;
    const ends = { from: from === 'all' ? undefined : from, to };
    rules.push({ priority: Number(priority), ...defined(ends), table, afterNarrowRoutes });
  }
  return { before, after };
};

/** `10.0.0.9 via 10.0.0.1 dev eth0 src 10.0.0.5 uid 0 \ cache`. Where ip itself fails nothing is known of the route. */
const pathIn = (value: string): readonly Path[] => {
  const [to, answer] = splitOnce(value);
  const words = answer.split(' ').filter(Boolean);
  const after = (key: string) => (words.includes(key) ? words[words.indexOf(key) + 1] : undefined);
  const [, error] = /^(?:RTNETLINK answers|Error): (.*)$/.exec(answer) ?? [];
  if (error !== undefined) return [{ to, error }];
  const from = after('src');
  return from === undefined ? [] : [{ to, from, ...defined({ device: after('dev'), via: after('via') }) }];
};
