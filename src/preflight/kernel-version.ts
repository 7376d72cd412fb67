import { isNode } from '../inventory/cluster.js';
import { failIf, type HostCheck } from './check.js';

/** kube-proxy ends at once in its nftables mode on an older kernel, by the version that `uname -r` prints. */
export const kernelVersionCheck = {
  name: 'kernel-version',
  scope: 'host',
  summary: "the kernel of a node is new enough for kube-proxy's mode: 5.13 for nftables",
  fix: 'write `kubernetes: { proxy: iptables }`, or boot a newer kernel',
  check: (host, { kernel }, { kubernetes }) =>
    failIf(
      isNode(host) && kubernetes.proxy === 'nftables' && isOlder(kernel, 5, 13),
      `kernel ${kernel} is older than 5.13, which kube-proxy needs for its mode nftables`,
      'write `kubernetes: { proxy: iptables }`, or boot a newer kernel',
    ),
} satisfies HostCheck;

/** `5.14.0-427.el9.x86_64`: two numbers count. What has none is not older. */
const isOlder = (version: string, major: number, minor: number): boolean => {
  const [, first, second] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (first === undefined || second === undefined) return false;
  return Number(first) === major ? Number(second) < minor : Number(first) < major;
};
