import { isAddress } from '../inventory/addresses.js';
import { dnsServers, isApiHost, isDns, isNode } from '../inventory/cluster.js';
import { componentPorts } from '../inventory/ports.js';
import type { HostCheck } from './check.js';

/**
 * The DNS server's ports, at the host's own addresses. A resolver on other addresses is no conflict: systemd-resolved
 * on 127.0.0.53, a resolver for virtual machines on their bridge.
 */
export const dnsPortCheck = {
  name: 'dns-port',
  scope: 'host',
  summary: 'port 53 at the addresses of a DNS host, and its ports 8053 and 9153, are free or used by CoreDNS',
  fix: 'stop the other DNS server, or bind it to other addresses',
  check: (host, { nameServices, listeners }) => {
    if (!isDns(host)) return [];
    const own = [host.address, ...Object.values(host.addresses), '0.0.0.0', '*', '[::]'];
    const holders = [
      ...nameServices
        .filter(({ address, process }) => own.includes(address) && process !== 'coredns')
        .slice(0, 1)
        .map(({ address, process }) => ({ port: 53, process, where: ` on ${address}` })),
      ...listeners
        .filter(({ port }) => port !== 53 && ports.includes(port))
        .map((listener) => ({ ...listener, where: '' })),
    ];
    return holders
      .filter(({ process }) => process !== 'coredns')
      .map(({ port, process, where }) => ({
        detail: `port ${port}, which the DNS server needs, is in use by ${process || 'another process'}${where}`,
        next: `stop it, or bind it to other addresses; see which program it is: ss -lntup 'sport = :${port}'`,
      }));
  },
} satisfies HostCheck;

const ports: readonly number[] = componentPorts.dns.map(([port]) => port);

/** Another program that writes /etc/resolv.conf would undo what `dns.useOnHosts` puts there. */
export const resolverCheck = {
  name: 'resolver',
  scope: 'host',
  summary: 'with `dns.useOnHosts`, /etc/resolv.conf is a plain file, or written by systemd-resolved or NetworkManager',
  fix: 'change what writes the file, or set `dns: { useOnHosts: false }`',
  check: (host, { resolver }, cluster) => {
    const asked = cluster.hostsUseDns && dnsServers(cluster).length > 0;
    const answersThem = cluster.upstreams.some((upstream) =>
      [host.address, ...Object.values(host.addresses)].includes(upstream),
    );
    if (!asked || answersThem || ['file', 'resolved', 'NetworkManager'].includes(resolver)) return [];
    return [
      {
        detail: `/etc/resolv.conf is ${resolver.startsWith('a link') ? resolver : `written by ${resolver}`}, which kbs does not set up`,
        next: 'let systemd-resolved or NetworkManager write it, or make it a plain file, or set `dns: { useOnHosts: false }`',
      },
    ];
  },
} satisfies HostCheck;

/**
 * A resolver on loopback answers the host alone: in a pod that address is the pod, and pods have no IPv6. Cluster DNS asks
 * those of the API host, pods that take the resolvers of their node ask its, and a `dns` host asks its own where they are
 * other machines. A host without any has none to offer, which may be meant.
 */
export const upstreamResolverCheck = {
  name: 'upstream-resolver',
  scope: 'host',
  summary:
    'where `dns.upstreams` names no resolver, pods and DNS hosts can ask one of those that their host has: not on loopback, and pods by IPv4',
  fix: 'write `dns: { upstreams: [ADDRESS] }`, the address of a resolver that other machines can ask',
  check: (host, facts, cluster) => {
    const { nameservers, hostOnlyNameservers, resolvConf } = facts;
    if (cluster.upstreams.length > 0) return [];
    const lan = dnsServers(cluster).flatMap(({ address, addresses }) => [address, ...Object.values(addresses)]);
    const loopback = hostOnlyNameservers.filter((server) => !nameservers.includes(server));
    const forPods =
      (isNode(host) || isApiHost(host, cluster)) && !nameservers.some(isAddress) ? hostOnlyNameservers : [];
    const forLan = isDns(host) && nameservers.every((server) => lan.includes(server)) ? loopback : [];
    const [servers, asker] = forPods.length > 0 ? [forPods, 'pods'] : [forLan, 'the DNS server of the LAN'];
    if (servers.length === 0) return [];
    return [
      {
        detail: `${asker} can ask no resolver of ${resolvConf}: ${servers.join(', ')} ${servers.length === 1 ? 'is' : 'are'} for the host alone`,
        next: `write \`dns: { upstreams: [ADDRESS] }\`, the IPv4 address of a resolver that other machines can ask; where no name outside the cluster is needed: --skip-check upstream-resolver`,
      },
    ];
  },
} satisfies HostCheck;
