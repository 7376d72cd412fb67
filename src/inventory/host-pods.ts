import { prefixLength, subnetCount } from './addresses.js';

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
