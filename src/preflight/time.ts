import { failIf, type HostCheck } from './check.js';

/** Of a container it is the machine around it that has its clock set. What kbs is about to set up is no warning. */
export const clockSynchronisedCheck = {
  name: 'clock-synchronised',
  scope: 'host',
  warns: true,
  summary: 'a program keeps the clock in step over the network',
  fix: 'timedatectl set-ntp true, with systemd-timesyncd or chrony installed',
  check: ({ timeServers }, { system, machine }) =>
    failIf(
      system?.clockSynchronised === false && machine?.kind !== 'container' && timeServers === undefined,
      'nothing keeps the clock in step with others: it drifts until certificates and leases are refused',
      'timedatectl set-ntp true, with systemd-timesyncd or chrony installed, and a time server that it reaches; or have kbs set it up: time: { servers: [NAME] }',
    ),
} satisfies HostCheck;

/** kbs sets up what is there, and installs no other daemon beside one that it may not know. */
export const timeDaemonCheck = {
  name: 'time-daemon',
  scope: 'host',
  summary: 'a host for which the inventory has `time.servers` has systemd-timesyncd or chrony',
  fix: 'install systemd-timesyncd or chrony',
  check: ({ timeServers }, { system, machine }) =>
    failIf(
      timeServers !== undefined && system?.timeDaemon?.program === 'none' && machine?.kind !== 'container',
      'the inventory has time servers for it, and neither systemd-timesyncd nor chrony is installed',
      `${system?.packageManager === 'dnf' ? 'dnf install -y chrony' : 'apt-get install -y systemd-timesyncd'}, or take time.servers out of the inventory`,
    ),
} satisfies HostCheck;
