import type { Facts } from '../hosts/facts/facts.js';
import type { ClusterHost } from '../inventory/cluster.js';
import { type FailedCheck, failIf } from './check.js';

/** kbs labels no files, and containerd of kbs runs without container-selinux: an enforced policy would deny both. */
export const checkSelinux = (_host: ClusterHost, { system }: Facts): readonly FailedCheck[] =>
  failIf(
    system?.selinux === 'enforcing',
    'SELinux enforces its policy, which has no rules for what kbs installs: systemd and containers would be denied files',
    'setenforce 0, and SELINUX=permissive in /etc/selinux/config, so that it stays so after a reboot',
  );
