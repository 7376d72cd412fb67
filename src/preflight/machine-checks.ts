import type { Check } from './check.js';
import { checkExecutable, checkOverlay, checkSpace, checkWritable } from './file-systems.js';
import { checkKernelLog } from './kernel-log.js';
import { checkKernelVersion } from './kernel-version.js';
import { checkOtherCluster } from './other-clusters.js';
import { checkPackages } from './packages.js';
import { checkSelinux } from './security.js';
import { checkClockSynchronised, checkTimeDaemon } from './time.js';

/** The rows about machines in the table of checks that go beyond what a current server of Debian or Ubuntu has anyway. */
export const machineChecks: readonly Check[] = [
  {
    name: 'kernel-version',
    scope: 'host',
    summary: "the kernel of a node is new enough for kube-proxy's mode: 5.13 for nftables",
    fix: 'write `kubernetes: { proxy: iptables }`, or boot a newer kernel',
    check: checkKernelVersion,
  },
  {
    name: 'kernel-log',
    scope: 'host',
    summary: 'a node has the log of the kernel, /dev/kmsg, which containers as machines most often lack',
    fix: 'make a virtual machine the node, or give the container /dev/kmsg',
    check: checkKernelLog,
  },
  {
    name: 'writable',
    scope: 'host',
    summary: 'no folder that kbs writes to is mounted read-only: /etc, /usr/local, /var/lib, and /opt on a node',
    fix: 'mount it writable, or install a system whose root is not an image',
    check: checkWritable,
  },
  {
    name: 'noexec',
    scope: 'host',
    summary: 'programs can be started below /usr/local and /var/lib, and below /opt on a node',
    fix: 'take noexec out of the options of the mount',
    check: checkExecutable,
  },
  {
    name: 'overlay',
    scope: 'host',
    summary:
      'the file system below /var/lib/containerd of a node is one on which the kernel lays overlays, as ext4 and xfs',
    fix: 'mount a file system of type ext4 or xfs at /var/lib/containerd',
    check: checkOverlay,
  },
  {
    name: 'disk-space',
    scope: 'host',
    summary:
      'the file systems that kbs writes to have room: for a new node 1024 MiB below /var/lib/containerd and 320 below /usr/local, for a new control plane 768 there and 512 below /var/lib, and inodes',
    fix: 'delete what is not needed, or enlarge the file system',
    check: checkSpace,
  },
  {
    name: 'selinux',
    scope: 'host',
    summary: 'no policy of SELinux is enforced: it has no rules for what kbs installs',
    fix: 'setenforce 0, and SELINUX=permissive in /etc/selinux/config',
    check: checkSelinux,
  },
  {
    name: 'packages',
    scope: 'host',
    summary:
      'a host has the packages that it needs, or kbs can install them by apt or dnf: nftables on a node, iptables and ipset where kube-proxy is a unit of these modes, haproxy on a load balancer, keepalived with `endpoint.vip`',
    fix: 'install them with the package manager of the host, or let kbs do it: `packages: { source: host }`',
    check: checkPackages,
  },
  {
    name: 'clock-synchronised',
    scope: 'host',
    warns: true,
    summary: 'a program keeps the clock in step over the network',
    fix: 'timedatectl set-ntp true, with systemd-timesyncd or chrony installed',
    check: checkClockSynchronised,
  },
  {
    name: 'time-daemon',
    scope: 'host',
    summary: 'a host for which the inventory has `time.servers` has systemd-timesyncd or chrony',
    fix: 'install systemd-timesyncd or chrony',
    check: checkTimeDaemon,
  },
  {
    name: 'other-cluster',
    scope: 'host',
    summary:
      'nothing of another cluster runs on a node or control plane: kubeadm, K3s, RKE2, k0s, MicroK8s, or a kubelet of others',
    fix: 'take the host out of that cluster, and reset it in the way of its tool',
    check: checkOtherCluster,
  },
];
