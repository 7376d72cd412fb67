import { contains, nthAddress, overlaps, parseIpv6Cidr, prefixLength } from '../addresses.js';
import { didYouMean } from '../did-you-mean.js';
import { hostPodPrefixLength, hostRoom, ipv6HostRoom } from '../host-pods.js';
import type { InventoryError, Path } from '../inventory-error.js';
import { inventoryError, inventoryKeyError } from '../inventory-error.js';
import type { PartialHost, PartialInventory, PartialSegment } from '../partial.js';
import { allRead, entries, hasRole, hostsOf, networkOr, segmentHolding, segmentsOf } from '../partial.js';
import { overlapsAmong } from './networks.js';

/** The IPv6 half of a cluster is whole: networks that are apart and large enough, and an address wherever one is needed. */
export const checkIpv6 = (draft: PartialInventory): readonly InventoryError[] =>
  draft.network !== undefined && 'ipv6' in draft.network
    ? [
        ...checkNetworks(draft),
        ...checkServices(draft),
        ...checkRoom(draft),
        ...segmentsOf(draft).flatMap(([name, segment]) => checkSegment(draft, name, segment)),
        ...hostsOf(draft).flatMap(([name, host]) => checkHost(draft, name, host)),
        ...checkDuplicates(draft),
      ]
    : checkStray(draft);

const checkStray = (draft: PartialInventory): readonly InventoryError[] => {
  if (draft.network === undefined) return [];
  const missing = 'network.ipv6 is missing, which makes a cluster one of both families; write it, or take this away';
  return [
    ...segmentsOf(draft).flatMap(([name, segment]) =>
      'ipv6' in segment ? [inventoryKeyError(['network', 'segments', name, 'ipv6'], missing)] : [],
    ),
    ...hostsOf(draft).flatMap(([name, host]) =>
      'ipv6' in host ? [inventoryKeyError(['hosts', name, 'ipv6'], missing)] : [],
    ),
  ];
};

const checkNetworks = (draft: PartialInventory): readonly InventoryError[] => {
  const { pods, services } = draft.network?.ipv6 ?? {};
  const networks = [
    { path: ['network', 'ipv6', 'pods'], cidr: pods },
    { path: ['network', 'ipv6', 'services'], cidr: services },
    ...segmentsOf(draft).map(([name, { ipv6 }]) => ({
      path: ['network', 'segments', name, 'ipv6', 'cidr'],
      cidr: ipv6?.cidr,
    })),
  ].flatMap(({ path, cidr }) => (cidr === undefined ? [] : [{ path, cidr }]));
  return [...overlapsAmong(networks), ...networks.flatMap(({ path, cidr }) => checkUnicast(path, cidr))];
};

/** RFC 4291, 2.4. */
const checkUnicast = (path: Path, cidr: string): readonly InventoryError[] => {
  const special = [
    ['::/8', 'reserved'],
    ['fe80::/10', 'link-local'],
    ['ff00::/8', 'multicast'],
  ].find(([network = '']) => overlaps(network, cidr));
  return special === undefined
    ? []
    : [inventoryError(path, `${cidr} is ${special[1]}; write a network of your own, such as one of fd00::/8`)];
};

/** https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/: at most 20 bits for addresses. */
const checkServices = ({ network }: PartialInventory): readonly InventoryError[] => {
  const path = ['network', 'ipv6', 'services'];
  const services = network?.ipv6?.services;
  if (services === undefined) return [];
  if (prefixLength(services) < 108) {
    return [
      inventoryError(path, `${services} is larger than the API server takes; write a /108 or smaller, as a /112`),
    ];
  }
  return prefixLength(services) > 124
    ? [inventoryError(path, `${services} has no tenth address, which is that of cluster DNS; write a /124 or larger`)]
    : [];
};

/** A node's part has the place that its IPv4 part has, so there are at least as many places. */
const checkRoom = (draft: PartialInventory): readonly InventoryError[] => {
  const path = ['network', 'ipv6', 'pods'];
  const ipv6 = draft.network?.ipv6;
  const pods = networkOr(draft, 'pods');
  if (ipv6?.pods === undefined || pods === undefined) return [];
  const nodePrefix = 'nodePrefix' in ipv6 ? ipv6.nodePrefix : 64;
  if (nodePrefix === undefined) return [];
  const room = ipv6HostRoom({ pods: ipv6.pods, nodePrefix });
  const wanted = hostRoom(pods);
  if (room >= wanted) return [];
  const enough = nodePrefix - Math.log2(wanted);
  return [
    inventoryError(
      path,
      `${ipv6.pods} has ${room} parts of a /${nodePrefix}, and network.pods, ${pods}, has ${wanted} of a /${hostPodPrefixLength(pods)} for nodes; write a /${enough} or larger, or a longer nodePrefix`,
    ),
  ];
};

const checkSegment = (draft: PartialInventory, name: string, segment: PartialSegment): readonly InventoryError[] => {
  const path = ['network', 'segments', name, 'ipv6'];
  if (!('ipv6' in segment)) {
    const member = hostsOf(draft).find(([, host]) => needsAddress(host) && segmentOf(draft, host)?.[0] === name);
    return member === undefined
      ? []
      : [
          inventoryError(
            path,
            `is missing; ${member[0]} is in this segment, and in a cluster of both families every host of Kubernetes has an IPv6 address`,
          ),
        ];
  }
  const { cidr, gateway } = segment.ipv6 ?? {};
  if (segment.ipv6 !== undefined && segmentsOf(draft).length > 1 && !('gateway' in segment.ipv6)) {
    return [
      inventoryError(
        [...path, 'gateway'],
        'is missing; where there are several segments, each needs the address of its router',
      ),
    ];
  }
  if (cidr === undefined || gateway === undefined) return [];
  return checkPlace([...path, 'gateway'], gateway, name, cidr);
};

/** The first address of a network is every router's (RFC 4291, 2.6.1); of a /127 it is not (RFC 6164). */
const checkPlace = (path: Path, address: string, segment: string, cidr: string): readonly InventoryError[] => {
  if (!contains(cidr, address)) {
    return [inventoryError(path, `${address} is not in segment ${segment}, ${cidr}; write an address inside`)];
  }
  return (parseIpv6Cidr(cidr)?.size ?? 0) > 2 && address === nthAddress(cidr, 0)
    ? [inventoryError(path, `${address} is that of every router in ${cidr}; write a later address`)]
    : [];
};

const checkHost = (draft: PartialInventory, name: string, host: PartialHost): readonly InventoryError[] => {
  const path = ['hosts', name, 'ipv6'];
  const [home, segment] = segmentOf(draft, host) ?? [];
  if (!('ipv6' in host)) {
    return needsAddress(host)
      ? [
          inventoryError(
            path,
            'is missing; in a cluster of both families every node and every control plane has an IPv6 address',
          ),
        ]
      : [];
  }
  if (host.ipv6 === undefined || host.roles === undefined) return [];
  if (typeof host.ipv6 !== 'string') {
    return hasRole(host, 'router')
      ? checkRouter(draft, name, host, home)
      : allRead(host.roles)
        ? [inventoryError(path, 'is a map, and only a router has several addresses; write one address')]
        : [];
  }
  if (hasRole(host, 'router')) {
    return [inventoryError(path, `${host.ipv6} is one address; write that of each segment that the router joins`)];
  }
  if (home === undefined || segment === undefined) return [];
  if (!('ipv6' in segment)) {
    return needsAddress(host)
      ? []
      : [inventoryError(path, `segment ${home} has no IPv6; write its ipv6, or take this away`)];
  }
  const { cidr, gateway } = segment.ipv6 ?? {};
  if (cidr === undefined) return [];
  const misplaced = checkPlace(path, host.ipv6, home, cidr);
  return misplaced.length === 0 && host.ipv6 === gateway && allRead(host.roles)
    ? [
        inventoryError(
          path,
          `${gateway} is the gateway of segment ${home}; write another address, or give the host the role router`,
        ),
      ]
    : misplaced;
};

const checkRouter = (
  draft: PartialInventory,
  name: string,
  host: PartialHost,
  home: string | undefined,
): readonly InventoryError[] => {
  const path = ['hosts', name, 'ipv6'];
  const joined = Object.keys(host.addresses ?? {});
  const addresses = typeof host.ipv6 === 'string' ? [] : entries(host.ipv6);
  const keys = Object.keys(host.ipv6 ?? {});
  const segments = new Map(segmentsOf(draft));
  const missing =
    home === undefined || keys.includes(home) || !('ipv6' in (segments.get(home) ?? {}))
      ? []
      : [inventoryError([...path, home], `is missing; ${name} is at home in this segment`)];
  return [
    ...missing,
    ...addresses.flatMap(([segment, address]) => {
      if (host.addresses !== undefined && !joined.includes(segment)) {
        const meant = didYouMean(segment, joined);
        const hint = meant === undefined ? `it has ${joined.join(', ')}` : `did you mean ${meant}?`;
        return [inventoryKeyError([...path, segment], `${name} has no address in a segment ${segment}; ${hint}`)];
      }
      const joins = segments.get(segment);
      if (joins !== undefined && !('ipv6' in joins)) {
        return [
          inventoryKeyError([...path, segment], `segment ${segment} has no IPv6; write its ipv6, or take this away`),
        ];
      }
      const cidr = joins?.ipv6?.cidr;
      return cidr === undefined ? [] : checkPlace([...path, segment], address, segment, cidr);
    }),
  ];
};

const checkDuplicates = (draft: PartialInventory): readonly InventoryError[] => {
  const owners = new Map<string, string>();
  return hostsOf(draft).flatMap(([name, { ipv6 }]) => {
    const path = ['hosts', name, 'ipv6'];
    const addresses: readonly (readonly [Path, string])[] =
      typeof ipv6 === 'string'
        ? [[path, ipv6]]
        : entries(ipv6).map(([segment, address]) => [[...path, segment], address]);
    return addresses.flatMap(([at, address]) => {
      const owner = owners.get(address) ?? name;
      owners.set(address, owner);
      return owner === name ? [] : [inventoryError(at, `${address} is already the address of ${owner}; write another`)];
    });
  });
};

/** Control planes without a kubelet reach pods by their own routes. */
const needsAddress = (host: PartialHost): boolean => hasRole(host, 'control-plane', 'worker');

const segmentOf = (draft: PartialInventory, { address }: PartialHost) =>
  address === undefined ? undefined : segmentHolding(draft, address);
