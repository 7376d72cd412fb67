import { prefixLength, subnetCount } from './addresses.js';

/**
 * The prefix length of every host's pod CIDR. It follows from the size of the pod network alone, so it never changes in
 * a cluster: /24, and /25 or /26 where fewer than 64 hosts would fit otherwise.
 */
export const hostPodPrefixLength = (pods: string): number => Math.min(Math.max(prefixLength(pods) + 6, 24), 26);

/** How many hosts fit into a pod network. */
export const hostRoom = (pods: string): number => subnetCount(pods, hostPodPrefixLength(pods));
