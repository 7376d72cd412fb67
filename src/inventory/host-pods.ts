import { everywhere, nthSubnet, offsetOf, parseCidr, prefixLength, subnetCount } from './addresses.js';

/**
 * Whether a kubelet runs on a host of these roles, so that it is a Kubernetes node and needs a pod CIDR: on workers, and
 * on control planes whose components are static pods. With `systemd` a control plane needs no kubelet.
 */
export const runsPods = (roles: readonly string[], controlPlane: 'static-pods' | 'systemd'): boolean =>
  roles.includes('worker') || (roles.includes('control-plane') && controlPlane === 'static-pods');

/**
 * The prefix length of every host's pod CIDR. It follows from the size of the pod network alone, so it never changes in
 * a cluster: /24, and /25 or /26 where fewer than 64 hosts would fit otherwise.
 */
export const hostPodPrefixLength = (pods: string): number => Math.min(Math.max(prefixLength(pods) + 6, 24), 26);

/** How many hosts fit into a pod network. */
export const hostRoom = (pods: string): number => subnetCount(pods, hostPodPrefixLength(pods));

/** What of the IPv6 half pod CIDRs follow from. */
export interface Ipv6Pods {
  readonly pods: string;
  /** The prefix length of a node's part. */
  readonly nodePrefix: number;
}

/** How many parts for nodes an IPv6 pod network has. */
export const ipv6HostRoom = ({ pods, nodePrefix }: Ipv6Pods): number => subnetCount(pods, nodePrefix);

/**
 * The IPv6 pod CIDR beside an IPv4 one of a node or a segment: the place that this one has among all IPv4 networks of a
 * node's size, modulo the places of the IPv6 pod network. That has at least as many places as `pods`, so no two CIDRs
 * share one, and what contains another there contains it here. It depends on the IPv4 CIDR alone, so whatever keeps that
 * one keeps this one; a wider `pods` moves none where the IPv6 pod network has room for it from the start.
 */
export const ipv6PodsBeside = (cidr: string, pods: string, ipv6: Ipv6Pods): string => {
  const hostLength = hostPodPrefixLength(pods);
  const place = Math.floor(offsetOf(everywhere.ipv4, parseCidr(cidr)?.network ?? '') / 2 ** (32 - hostLength));
  const size = 2 ** Math.max(0, hostLength - prefixLength(cidr));
  const length = ipv6.nodePrefix - Math.log2(size);
  return nthSubnet(ipv6.pods, length, Math.floor(place / size) % subnetCount(ipv6.pods, length));
};
