import { checkArchitecture, checkBundle } from './architecture.js';
import type { Check } from './check.js';
import { checkHostnames, checkMachineIds, checkMacs, checkProductUuids, checkSshHostKeys } from './clones.js';
import { checkClocks, checkEtcdData } from './cluster.js';
import { checkDropIns, checkForeignCni, checkForeignLinks, checkForeignUnit } from './conflicts.js';
import { checkDnsPort, checkResolver, checkUpstreamResolver } from './dns.js';
import { checkEtcdChange, checkExternalEndpoints, checkExternalEtcd } from './external-etcd.js';
import { checkFirewall } from './firewall.js';
import { gpuChecks } from './gpu-checks.js';
import { checkClockSource, checkHypervisors, checkSteal } from './guests.js';
import { checkIdentity } from './identity.js';
import { checkForwarding, checkMtu, checkMtus } from './links.js';
import {
  checkAddress,
  checkCgroup,
  checkKernelFeatures,
  checkRoot,
  checkSwap,
  checkSystemd,
  checkTools,
} from './machine.js';
import { machineChecks } from './machine-checks.js';
import { checkEndpointName, checkHostsLines } from './names.js';
import { checkForeignEtcd } from './other-clusters.js';
import { checkNextHops, checkSourceAddress, checkSourceAddresses } from './paths.js';
import { checkPorts } from './ports.js';
import { checkDefaultRoute, checkNetworkOverlap } from './routes.js';
import { checkRouterId, checkVipFree, checkVipNetwork } from './vip.js';

/**
 * Every check of preflight: what must be so of hosts before they are changed. The documentation, `--skip-check` (by
 * check-names.ts), the runs and `kbs preflight` all go by this table.
 */
export const checks: readonly Check[] = [
  {
    name: 'root',
    scope: 'host',
    summary: 'commands run as root',
    fix: 'log in as root, or with a user that may use sudo and `ssh: { become: sudo }`',
    check: checkRoot,
  },
  {
    name: 'systemd',
    scope: 'host',
    summary: 'systemd runs the machine',
    fix: 'install a distribution that boots with systemd',
    check: checkSystemd,
  },
  {
    name: 'architecture',
    scope: 'host',
    summary: 'the processor is one that kbs has programs for: x86_64 or aarch64',
    fix: 'install a 64-bit system, or take another machine',
    check: checkArchitecture,
  },
  {
    name: 'address',
    scope: 'host',
    summary: 'the machine has the address that the inventory gives it',
    fix: 'correct `address` in the inventory, or the network of the machine that answers there',
    check: checkAddress,
  },
  {
    name: 'source-address',
    scope: 'host',
    summary: 'what a control plane sends to others comes from its address of the inventory, as etcd demands',
    fix: 'correct `address` in the inventory, or make that the first address of the interface in the network settings of the machine',
    check: checkSourceAddress,
  },
  {
    name: 'next-hop',
    scope: 'host',
    summary:
      'the next hops of its routes to pods are in a network that the host shares with them, without a gateway between',
    fix: 'use addresses of a network that the machines share, such as a VLAN or the private network of a provider, or write more segments',
    check: checkNextHops,
  },
  {
    name: 'cgroup',
    scope: 'host',
    summary: 'the kernel of a node has the cgroup controllers cpu, memory and pids switched on',
    fix: 'correct cgroup_enable and cgroup_disable on the kernel command line, and reboot; on a Raspberry Pi, add cgroup_enable=memory to /boot/firmware/cmdline.txt',
    check: checkCgroup,
  },
  {
    name: 'swap',
    scope: 'host',
    summary:
      'compressed swap (zram) of a node, if any, is made by zram-tools, zram-config or systemd-zram-generator, which kbs switches off like other swap; where `swap` leaves swap on, the node has cgroup v2',
    fix: 'switch off what makes it, and swapoff -a; or write `swap: { behavior: NoSwap }`',
    check: checkSwap,
  },
  {
    name: 'kernel-features',
    scope: 'host',
    summary: 'the kernel of a node has overlay, br_netfilter, nf_conntrack, nf_tables, and ip_vs for that proxy mode',
    fix: "install the package with the kernel's modules, or boot a kernel that has them",
    check: checkKernelFeatures,
  },
  {
    name: 'tools',
    scope: 'host',
    summary: 'ip, systemctl, sha256sum and base64 are installed',
    fix: 'install the packages iproute2, systemd and coreutils',
    check: checkTools,
  },
  ...machineChecks,
  {
    name: 'ports',
    scope: 'host',
    summary:
      'the TCP ports of the components, and those that load balancers forward, are free, or used by these components',
    fix: 'stop the other program, or give it another port; for haproxy write another `endpoint.port`, or forward another port',
    check: checkPorts,
  },
  {
    name: 'firewall',
    scope: 'host',
    summary: 'no firewall of the host drops packets of pods, or to ports that other hosts must reach',
    fix: 'let the pod network and the segments through, in the way of the firewall that the message names',
    check: checkFirewall,
  },
  {
    name: 'foreign-cni',
    scope: 'host',
    summary:
      'no other CNI configuration comes before that of kbs on a node, and a bridge cni0 has the network of its pods',
    fix: 'uninstall the other network plugin, or move its file out of /etc/cni/net.d; `ip link delete cni0`',
    check: checkForeignCni,
  },
  {
    name: 'foreign-link',
    scope: 'host',
    warns: true,
    summary: 'a node has no interface of another network plugin: Flannel, Calico, Cilium and others',
    fix: 'uninstall the other network plugin, then reboot, or delete its interfaces',
    check: checkForeignLinks,
  },
  {
    name: 'foreign-unit',
    scope: 'host',
    summary: 'no drop-in of another package changes what the units of kbs start',
    fix: 'uninstall that package, or mask its drop-in as the message says',
    check: checkForeignUnit,
  },
  {
    name: 'drop-in',
    scope: 'host',
    warns: true,
    summary:
      'kubelet and containerd of a node have the settings of kbs and no others; drop-ins of yours stay as they are',
    fix: 'nothing, where they are meant',
    check: checkDropIns,
  },
  {
    name: 'dns-port',
    scope: 'host',
    summary: 'port 53 at the addresses of a DNS host, and its ports 8053 and 9153, are free or used by CoreDNS',
    fix: 'stop the other DNS server, or bind it to other addresses',
    check: checkDnsPort,
  },
  {
    name: 'hosts-line',
    scope: 'host',
    summary:
      'no line of /etc/hosts, or of what cloud-init makes it from, gives `endpoint.name` or the name of the host the address of another machine',
    fix: 'take the name out of that line: kbs writes one of its own',
    check: checkHostsLines,
  },
  {
    name: 'endpoint-name',
    scope: 'host',
    summary:
      'where a load balancer outside the cluster has `endpoint.name`, and no `endpoint.vip` is written, nodes and control planes resolve it',
    fix: 'have the resolvers of the hosts answer for the name, or write `endpoint.vip`',
    check: checkEndpointName,
  },
  {
    name: 'resolver',
    scope: 'host',
    summary:
      'with `dns.useOnHosts`, /etc/resolv.conf is a plain file, or written by systemd-resolved or NetworkManager',
    fix: 'change what writes the file, or set `dns: { useOnHosts: false }`',
    check: checkResolver,
  },
  {
    name: 'upstream-resolver',
    scope: 'host',
    summary:
      'where `dns.upstreams` names no resolver, pods and DNS hosts can ask one of those that their host has: not on loopback, and pods by IPv4',
    fix: 'write `dns: { upstreams: [ADDRESS] }`, the address of a resolver that other machines can ask',
    check: checkUpstreamResolver,
  },
  {
    name: 'vip',
    scope: 'host',
    summary: 'a load balancer has an interface in the network of the virtual address',
    fix: 'write an `endpoint.vip` that lies in a network of every load balancer',
    check: checkVipNetwork,
  },
  {
    name: 'default-route',
    scope: 'host',
    summary: 'a route of a node leads to the addresses of Services: a default route, or one of their own',
    fix: 'set a default route, or `ip route add SERVICES dev DEVICE`, so that it is there after a reboot too',
    check: checkDefaultRoute,
  },
  {
    name: 'network-overlap',
    scope: 'host',
    summary:
      'no route of the host leads into the networks of pods and Services: in the main table, and in those that rules ask before it; a default route, whole or in parts, counts in the latter alone',
    fix: 'choose another `network.pods` or `network.services`; or, for another table, send packets to them to the main one: `ip rule add to CIDR lookup main`',
    check: checkNetworkOverlap,
  },
  {
    name: 'mtu',
    scope: 'host',
    summary:
      'the interfaces that the cluster uses carry packets of 1280 bytes, or what the `mtu` of their segment says',
    fix: 'set a larger MTU, or write that of the network as `mtu` of the segment',
    check: checkMtu,
  },
  {
    name: 'forwarding',
    scope: 'host',
    summary:
      'where the kernel of a node or a router forwards packets already, the interfaces that the cluster uses do too',
    fix: 'sysctl -w net.ipv4.conf.INTERFACE.forwarding=1, and in what closes the interface at every boot',
    check: checkForwarding,
  },
  ...gpuChecks,
  {
    name: 'steal',
    scope: 'host',
    warns: true,
    summary: 'the hypervisor of a guest has given at most 10 % of its CPU time to others',
    fix: 'give the guest CPUs of its own, or put fewer guests on its hypervisor',
    check: checkSteal,
  },
  {
    name: 'clock-source',
    scope: 'host',
    warns: true,
    summary: "the clock of a guest is quick to read: its hypervisor's own, or tsc",
    fix: 'choose another clock source, or give the guest a CPU model with an invariant TSC',
    check: checkClockSource,
  },
  {
    name: 'etcd-change',
    scope: 'host',
    summary: 'an API server that runs goes on with the etcd that it has: its own member, or an external one',
    fix: 'write `kubernetes.etcd` as it was',
    check: checkEtcdChange,
  },
  {
    name: 'external-etcd',
    scope: 'host',
    summary: 'an endpoint of the external etcd, where there is one, takes connections from every control plane',
    fix: 'start that etcd, or let the control planes through its firewall',
    check: checkExternalEtcd,
  },
  {
    name: 'machine-id',
    scope: 'cluster',
    summary: 'every machine has a machine-id of its own',
    fix: 'on all clones but one: rm /etc/machine-id && systemd-machine-id-setup && reboot',
    check: checkMachineIds,
  },
  {
    name: 'product-uuid',
    scope: 'cluster',
    warns: true,
    summary: 'every machine has a product UUID (DMI) of its own; containers share that of their machine',
    fix: 'give clones another UUID in their hypervisor',
    check: checkProductUuids,
  },
  {
    name: 'mac',
    scope: 'cluster',
    warns: true,
    summary: 'no two machines have the same MAC address',
    fix: 'give clones another MAC address in their hypervisor',
    check: checkMacs,
  },
  {
    name: 'ssh-host-key',
    scope: 'cluster',
    warns: true,
    summary: 'every machine has SSH host keys of its own',
    fix: 'on all clones but one: rm /etc/ssh/ssh_host_*_key* && ssh-keygen -A && systemctl restart ssh',
    check: checkSshHostKeys,
  },
  {
    name: 'hostname',
    scope: 'cluster',
    warns: true,
    summary: 'every machine has a hostname of its own',
    fix: 'hostnamectl set-hostname NAME',
    check: checkHostnames,
  },
  {
    name: 'hypervisor',
    scope: 'cluster',
    warns: true,
    summary: 'no two control planes are guests of one `hypervisor` of the inventory, and not all load balancers are',
    fix: 'move some of them to another hypervisor',
    check: checkHypervisors,
  },
  {
    name: 'source-address',
    scope: 'cluster',
    warns: true,
    summary: 'what the other nodes send into their segment comes from their address of the inventory',
    fix: 'make that the first address of the interface in the network settings of the machine, or let both through firewalls',
    check: checkSourceAddresses,
  },
  {
    name: 'mtu',
    scope: 'cluster',
    warns: true,
    summary:
      'interfaces in one segment have the same MTU, and carry the packets of its pods: 1500 bytes, or the `mtu` of the segment',
    fix: 'set the same MTU on all interfaces of a segment, or write the smallest one as `mtu` of the segment',
    check: checkMtus,
  },
  {
    name: 'clock',
    scope: 'cluster',
    summary: 'the clocks are within a minute of the clock of the machine that runs kbs',
    fix: 'set them over the network: timedatectl set-ntp true',
    check: checkClocks,
  },
  {
    name: 'etcd-data',
    scope: 'cluster',
    summary: 'where etcd is installed, a control plane has its data',
    fix: 'begin with a snapshot: kbs etcd restore FILE',
    check: checkEtcdData,
  },
  {
    name: 'foreign-etcd',
    scope: 'cluster',
    summary: 'where a control plane has data of etcd, this cluster put them there',
    fix: 'end the cluster that they are of, or move them aside',
    check: checkForeignEtcd,
  },
  {
    name: 'external-etcd',
    scope: 'cluster',
    warns: true,
    summary: 'all endpoints of the external etcd, where there is one, take connections from the control planes',
    fix: 'bring the other members back, or leave their endpoints out',
    check: checkExternalEndpoints,
  },
  {
    name: 'authority',
    scope: 'cluster',
    summary: 'every host belongs to the cluster of the keyring, or to none',
    fix: 'bring the keyring of the cluster to .kbs beside the inventory',
    check: checkIdentity,
  },
  {
    name: 'architecture',
    scope: 'cluster',
    summary: 'the bundle, where there is one, has programs for the processor of every host',
    fix: 'make one that has: kbs bundle create --arch amd64,arm64, or kbs bundle build with the same',
    check: checkBundle,
  },
  {
    name: 'vip',
    scope: 'probe',
    summary: 'no other machine answers for the virtual address',
    fix: 'write a free address as `endpoint.vip`, or switch the other machine off',
    check: checkVipFree,
  },
  {
    name: 'router-id',
    scope: 'probe',
    summary: 'no other router uses the virtual router id',
    fix: 'write another `endpoint.routerId`, from 1 to 255',
    check: checkRouterId,
  },
];
