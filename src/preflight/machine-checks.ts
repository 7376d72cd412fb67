import type { Check } from './check.js';
import { checkKernelVersion } from './kernel-version.js';

/** The rows about machines in the table of checks that go beyond what a current server of Debian or Ubuntu has anyway. */
export const machineChecks: readonly Check[] = [
  {
    name: 'kernel-version',
    scope: 'host',
    summary: "the kernel of a node is new enough for kube-proxy's mode: 5.13 for nftables",
    fix: 'write `kubernetes: { proxy: iptables }`, or boot a newer kernel',
    check: checkKernelVersion,
  },
];
