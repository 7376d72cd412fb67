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

/** Of a container it is the machine around it that has its clock set. */
export const checkClockSynchronised = (_host: ClusterHost, { system, machine }: Facts): readonly FailedCheck[] =>
  failIf(
    system?.clockSynchronised === false && machine?.kind !== 'container',
    'nothing keeps the clock in step with others: it drifts until certificates and leases are refused',
    'timedatectl set-ntp true, with systemd-timesyncd or chrony installed, and a time server that it reaches',
  );
