import type { Facts } from '../hosts/facts/facts.js';
import type { ClusterHost } from '../inventory/cluster.js';
import { type FailedCheck, failIf } from './check.js';

/** Of a container it is the machine around it that has its clock set. What kbs is about to set up is no warning. */
export const checkClockSynchronised = (
  { timeServers }: ClusterHost,
  { system, machine }: Facts,
): readonly FailedCheck[] =>
  failIf(
    system?.clockSynchronised === false && machine?.kind !== 'container' && timeServers === undefined,
    'nothing keeps the clock in step with others: it drifts until certificates and leases are refused',
    'timedatectl set-ntp true, with systemd-timesyncd or chrony installed, and a time server that it reaches; or have kbs set it up: time: { servers: [NAME] }',
  );

/** kbs sets up what is there, and installs no other daemon beside one that it may not know. */
export const checkTimeDaemon = ({ timeServers }: ClusterHost, { system, machine }: Facts): readonly FailedCheck[] =>
  failIf(
    timeServers !== undefined && system?.timeDaemon?.program === 'none' && machine?.kind !== 'container',
    'the inventory has time servers for it, and neither systemd-timesyncd nor chrony is installed',
    `${system?.packageManager === 'dnf' ? 'dnf install -y chrony' : 'apt-get install -y systemd-timesyncd'}, or take time.servers out of the inventory`,
  );
