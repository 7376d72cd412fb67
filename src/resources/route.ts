import { type Script, sh } from '../hosts/shell.js';
import type { Kind, RouteResource } from './resource.js';
import { step } from './resource.js';

/** A live route of the main table. Of several for one prefix the kernel prints first the one that it uses. */
export const route: Kind<RouteResource> = {
  kind: 'route',
  id: (resource) => resource.to,
  prelude: sh`
kbs_routes_4=$(ip -4 -oneline route show table main 2>&1)
kbs_routes_4_code=$?
kbs_routes_6=$(ip -6 -oneline route show table main 2>&1)
kbs_routes_6_code=$?
look_route() { # PREFIX, as a regular expression, FAMILY
  eval "kbs_routes=\\$kbs_routes_$2 kbs_routes_code=\\$kbs_routes_$2_code"
  # No list is not an empty list.
  if [ "$kbs_routes_code" != 0 ]; then printf '%s\\n' "$kbs_routes"; return "$kbs_routes_code"; fi
  printf '%s\\n' "$kbs_routes" | grep -m 1 -E "^([a-z]+ )?$1 " || :
}`,
  query: ({ to }) => sh`look_route ${printed(to).replaceAll('.', '\\.')} ${versionOf(to)}`,
  parse(output, resource) {
    const line = output.trim();
    if (line === '') return undefined;
    const way = line.slice(line.indexOf(printed(resource.to)) + printed(resource.to).length).trim();
    const simple = /^via (\S+)/.exec(way);
    return { via: line.startsWith(printed(resource.to)) ? (simple?.[1] ?? way) : line };
  },
  desired: (resource) => ({ via: resource.via }),
  apply: (resource) => [step(setRoute(resource))],
  remove: (resource, seen) =>
    seen.via === resource.via
      ? [step(sh`ip ${`-${versionOf(resource.to)}`} route del ${resource.to} via ${resource.via}`)]
      : [],
  record: {
    write: ({ via }) => ({ via }),
    read: (id, { via }) => (typeof via === 'string' ? { kind: 'route', to: id, via } : undefined),
  },
};

/** Shell that sets the route, whatever was there. */
export const setRoute = ({ to, via }: Pick<RouteResource, 'to' | 'via'>): Script =>
  sh`ip ${`-${versionOf(to)}`} route replace ${to} via ${via} proto static`;

/** As `ip route show` prints a destination. */
const printed = (to: string): string =>
  ['0.0.0.0/0', '::/0'].includes(to) ? 'default' : to.replace(versionOf(to) === '6' ? /\/128$/ : /\/32$/, '');

/** Of the Internet Protocol. */
const versionOf = (to: string): '4' | '6' => (to.includes(':') ? '6' : '4');
