import { checkArchitecture, checkBundle } from './architecture.js';
import type { Check } from './check.js';
import { checkClocks, checkEtcdData, checkMachineIds } from './cluster.js';
import { checkForeignCni, checkForeignUnit } from './conflicts.js';
import { checkDnsPort, checkResolver } from './dns.js';
import { checkFirewall } from './firewall.js';
import {
  checkGpuDevice,
  checkGpuDriver,
  checkGpuFabricManager,
  checkGpuHeaders,
  checkGpuLibrary,
  checkGpuMig,
  checkGpuNouveau,
  checkGpuPassthrough,
  checkGpuSecureBoot,
  checkGpuToolkit,
} from './gpu.js';
import { checkIdentity } from './identity.js';
import {
  checkAddress,
  checkCgroup,
  checkKernelFeatures,
  checkNftables,
  checkRoot,
  checkSwap,
  checkSystemd,
  checkTools,
} from './machine.js';
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
    fix: 'log in as root, or with a user who may use sudo without a password and `ssh: { become: sudo }`',
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
    name: 'cgroup',
    scope: 'host',
    summary: 'the kernel of a node has the cgroup controllers cpu, memory and pids switched on',
    fix: 'correct cgroup_enable and cgroup_disable on the kernel command line, and reboot; on a Raspberry Pi, add cgroup_enable=memory to /boot/firmware/cmdline.txt',
    check: checkCgroup,
  },
  {
    name: 'swap',
    scope: 'host',
    summary: 'no service makes compressed swap (zram) on a node at every boot',
    fix: 'remove zram-tools or systemd-zram-generator; other swap is switched off by kbs',
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
  {
    name: 'nftables',
    scope: 'host',
    summary: 'nft is installed on a node',
    fix: 'install the package nftables',
    check: checkNftables,
  },
  {
    name: 'ports',
    scope: 'host',
    summary: 'the TCP ports of the components are free, or used by these components',
    fix: 'stop the other program, or give it another port; for haproxy write another `endpoint.port`',
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
    summary: 'no other CNI configuration comes before that of kbs on a node',
    fix: 'uninstall the other network plugin, or move its file out of /etc/cni/net.d',
    check: checkForeignCni,
  },
  {
    name: 'foreign-unit',
    scope: 'host',
    summary: 'no drop-in of another package changes what the units of kbs start',
    fix: 'uninstall that package, or mask its drop-in as the message says',
    check: checkForeignUnit,
  },
  {
    name: 'dns-port',
    scope: 'host',
    summary: 'the ports 53, 8053 and 9153 of a DNS host are free at its own addresses, or used by CoreDNS',
    fix: 'stop the other DNS server, or bind it to other addresses',
    check: checkDnsPort,
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
    summary: 'no route of the host leads into the networks of pods and Services',
    fix: 'choose another `network.pods` or `network.services`',
    check: checkNetworkOverlap,
  },
  {
    name: 'gpu-device',
    scope: 'host',
    summary: 'a node with `gpu` has GPUs of that maker on its PCI bus; a virtual machine has one handed to it',
    fix: 'correct `gpu` in the inventory, or hand the virtual machine a GPU by PCI passthrough',
    check: checkGpuDevice,
  },
  {
    name: 'gpu-passthrough',
    scope: 'host',
    summary: 'the GPUs of a node with `gpu` are not all bound to vfio-pci, for virtual machines',
    fix: 'take them from vfio-pci and reboot, or make the virtual machine a node',
    check: checkGpuPassthrough,
  },
  {
    name: 'gpu-nouveau',
    scope: 'host',
    summary: 'the driver nouveau does not hold the GPUs of a node with `gpu: nvidia`',
    fix: 'blacklist nouveau, make the initramfs anew, and reboot',
    check: checkGpuNouveau,
  },
  {
    name: 'gpu-secure-boot',
    scope: 'host',
    summary: "with Secure Boot on, NVIDIA's module is loaded or signed",
    fix: 'sign the module with an enrolled key, or switch Secure Boot off',
    check: checkGpuSecureBoot,
  },
  {
    name: 'gpu-headers',
    scope: 'host',
    summary: "where NVIDIA's module is still to be built, the headers of the running kernel are there",
    fix: 'install the headers of the running kernel, then: dkms autoinstall',
    check: checkGpuHeaders,
  },
  {
    name: 'gpu-driver',
    scope: 'host',
    summary: 'the driver of the maker is loaded and holds the GPUs, or `driver: distribution` can install it',
    fix: 'install the driver as the message says, or write `driver: distribution`',
    check: checkGpuDriver,
  },
  {
    name: 'gpu-library',
    scope: 'host',
    summary: "the libraries of NVIDIA's driver are there, of the version that the kernel has loaded",
    fix: 'reboot after an update of the driver',
    check: checkGpuLibrary,
  },
  {
    name: 'gpu-toolkit',
    scope: 'host',
    summary: 'a driver of NVIDIA is new enough for the container toolkit, and for MIG',
    fix: 'install a newer release of the driver',
    check: checkGpuToolkit,
  },
  {
    name: 'gpu-mig',
    scope: 'host',
    summary: 'where GPUs are partitioned (MIG), the inventory says how to offer the instances',
    fix: 'write `mig: single` or `mig: mixed`, or switch MIG off',
    check: checkGpuMig,
  },
  {
    name: 'gpu-fabric-manager',
    scope: 'host',
    summary: 'where GPUs are joined by NVSwitch, the fabric manager runs',
    fix: "install nvidia-fabricmanager in the driver's version, and enable it",
    check: checkGpuFabricManager,
  },
  {
    name: 'machine-id',
    scope: 'cluster',
    summary: 'every machine has a machine-id of its own',
    fix: 'on clones: rm /etc/machine-id && systemd-machine-id-setup, then reboot',
    check: checkMachineIds,
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
    fix: 'build one that has: kbs bundle build --arch amd64,arm64',
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
