import type { Facts, HostsLine } from '../hosts/facts/facts.js';
import { type Cluster, type ClusterHost, isControlPlane, isNode } from '../inventory/cluster.js';
import type { HostCheck } from './check.js';

/**
 * Lines of /etc/hosts, and of what cloud-init makes it from, that kbs did not write and that give another address to a
 * name of which it writes one: a program that asks for the name takes either.
 */
export const hostsLinesCheck = {
  name: 'hosts-line',
  scope: 'host',
  summary:
    'no line of /etc/hosts, or of what cloud-init makes it from, gives `endpoint.name` or the name of the host the address of another machine',
  fix: 'take the name out of that line: kbs writes one of its own',
  check: (host, facts, cluster) => {
    if (!isNode(host) && !isControlPlane(host)) return [];
    return (facts.network?.hostsLines ?? [])
      .filter(({ isOwn }) => !isOwn)
      .flatMap((line) =>
        [...new Set(line.names)].flatMap((name) => {
          const address = addressOf(name, line, host, facts, cluster);
          return address === undefined || address === line.address
            ? []
            : [
                {
                  detail: `line ${line.line} of ${line.file} says that ${name} is ${line.address}, and in this cluster it is ${address}`,
                  next: `${line.names.length === 1 ? 'delete that line' : `take ${name} out of that line`}: kbs writes one of its own`,
                },
              ];
        }),
      );
  },
} satisfies HostCheck;

/**
 * The address that a line must have for a name, if any. Components know the host itself by its address, so its own name
 * may have any address of the host, and the loopback one that cloud-init and Debian's installer write.
 */
const addressOf = (
  name: string,
  { address }: HostsLine,
  host: ClusterHost,
  { addresses }: Facts,
  { endpoint }: Cluster,
): string | undefined => {
  if (name !== host.name) return name === endpoint.name ? endpoint.address : undefined;
  const isOwn = addresses.some((found) => found.split('/')[0] === address);
  return isOwn || address.startsWith('127.') || address.includes(':') ? undefined : host.address;
};

/** Components ask for the API by its name, where kbs knows no address to write into /etc/hosts. */
export const endpointNameCheck = {
  name: 'endpoint-name',
  scope: 'host',
  summary:
    'where a load balancer outside the cluster has `endpoint.name`, and no `endpoint.vip` is written, nodes and control planes resolve it',
  fix: 'have the resolvers of the hosts answer for the name, or write `endpoint.vip`',
  check: (_host, { network }, { endpoint }) =>
    (network?.resolved ?? [])
      .filter(({ name, addresses }) => name === endpoint.name && addresses.length === 0)
      .map(({ name }) => ({
        detail: `the host finds no address for ${name}, the name of the API`,
        next: 'have its resolvers answer for the name, or write the address of the load balancer as endpoint.vip: kbs puts it into /etc/hosts then',
      })),
} satisfies HostCheck;
