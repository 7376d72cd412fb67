import { defined } from '../../defined.js';
import { canonicalIpv6, networkOf, parseCidr, parseIpv6Cidr, prefixLength } from '../addresses.js';
import { hostRoom, ipv6HostRoom } from '../host-pods.js';
import type { ImportedSegment } from './segments.js';
import { decide, type NamedHost, type Remark, type ToolCluster, when } from './tool-cluster.js';

/** What the inventory has of IPv6, by its place; all undefined in a cluster of IPv4 alone. */
export interface ImportedIpv6 {
  readonly network?: Readonly<Record<string, unknown>>;
  segment(name: string): Readonly<Record<string, unknown>> | undefined;
  host(host: NamedHost): string | undefined;
  readonly remarks: readonly Remark[];
}

/**
 * The IPv6 half of a cluster of both families. Both families may also stand in one text, `10.42.0.0/16,fd00::/56`. The
 * network of a segment is the /64 of the first of its hosts that has an address.
 */
export const ipv6Of = (
  tool: string,
  cluster: ToolCluster,
  hosts: readonly NamedHost[],
  segments: readonly ImportedSegment[],
  segmentOf: (host: NamedHost) => string | undefined,
): ImportedIpv6 => {
  const [pods, services] = [
    canonicalCidr(cluster.ipv6?.pods ?? ipv6In(cluster.pods)),
    canonicalCidr(cluster.ipv6?.services ?? ipv6In(cluster.services)),
  ];
  if (cluster.ipv6 === undefined && pods === undefined && services === undefined) {
    return { segment: () => undefined, host: () => undefined, remarks: [] };
  }
  const addressOf = ({ ipv6 = '' }: NamedHost) => canonicalIpv6(ipv6);
  const cidrOf = (segment: string): string | undefined => {
    const first = hosts.find((host) => segmentOf(host) === segment && addressOf(host) !== undefined);
    return first === undefined ? undefined : networkOf(`${addressOf(first)}/64`);
  };
  const isOne = segments.length === 1;
  return {
    network: defined({ pods, services, nodePrefix: pods && nodePrefixFor(pods, cluster) }),
    segment: (name) => ({ cidr: cidrOf(name) ?? null }),
    host: addressOf,
    remarks: [
      ...when(pods === undefined, decide(['network', 'ipv6', 'pods'], 'the IPv6 network of pods', 'pods: CIDR')),
      ...when(
        services === undefined,
        decide(['network', 'ipv6', 'services'], 'the IPv6 network of Services', 'services: CIDR'),
      ),
      ...segments.flatMap(({ name }) => [
        decide(
          ['network', 'segments', name, 'ipv6'],
          cidrOf(name) === undefined
            ? `the IPv6 network of ${name}, as cidr: ${tool} does not say it`
            : "the IPv6 network is the /64 of the hosts' addresses; write it as it is",
        ),
        ...when(
          !isOne,
          decide(
            ['network', 'segments', name, 'ipv6', 'gateway'],
            `the router's IPv6 address in ${name}: ${tool} does not say it`,
            'gateway: ADDRESS',
          ),
        ),
      ]),
      ...hosts.flatMap((host) =>
        when(
          addressOf(host) === undefined,
          decide(['hosts', host.as, 'ipv6'], `the IPv6 address: ${tool} does not say it`, 'ipv6: ADDRESS'),
        ),
      ),
    ],
  };
};

/** The part of IPv6 of a text that may have both. */
const ipv6In = (cidrs: string | undefined): string | undefined =>
  cidrs?.split(/\s*,\s*/).find((cidr) => cidr.includes(':'));

/** As the inventory has it; a text that is no network stays as it is, for the inventory's own errors. */
const canonicalCidr = (text: string | undefined): string | undefined => {
  const [address = '', length = ''] = text?.split('/') ?? [];
  const canonical = `${canonicalIpv6(address) ?? ''}/${length}`;
  return parseIpv6Cidr(canonical) === undefined ? text : networkOf(canonical);
};

/** The tool's, where parts of it are enough; else the longest that are. Undefined for the inventory's own. */
const nodePrefixFor = (pods: string, { ipv6, pods: ipv4 = '' }: ToolCluster): number | undefined => {
  const [first = ''] = ipv4.split(',');
  if (parseIpv6Cidr(pods) === undefined || parseCidr(first) === undefined) return ipv6?.nodePrefix;
  const room = hostRoom(first);
  const enough = [ipv6?.nodePrefix, 64].find(
    (nodePrefix) => nodePrefix !== undefined && ipv6HostRoom({ pods, nodePrefix }) >= room,
  );
  const wanted = enough ?? prefixLength(pods) + Math.log2(room);
  return wanted === 64 ? undefined : wanted;
};
