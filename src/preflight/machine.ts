import type { Facts } from '../hosts/facts/facts.js';
import { type Cluster, type ClusterHost, isNode } from '../inventory/cluster.js';
import { type FailedCheck, failIf, type HostCheck } from './check.js';

/** What kbs and a kubelet need of a machine and its kernel, whatever else runs there. */
export const rootCheck = {
  name: 'root',
  scope: 'host',
  summary: 'commands run as root',
  fix: 'log in as root, or with a user that may use sudo and `ssh: { become: sudo }`',
  check: (_host, { uid }) =>
    failIf(uid !== 0, `commands run as uid ${uid}, not as root`, 'log in as root, or set `ssh: { become: sudo }`'),
} satisfies HostCheck;

export const systemdCheck = {
  name: 'systemd',
  scope: 'host',
  summary: 'systemd runs the machine',
  fix: 'install a distribution that boots with systemd',
  check: (_host, { systemd }) =>
    failIf(!systemd, 'systemd does not run this machine', 'kbs needs a distribution that boots with systemd'),
} satisfies HostCheck;

/** A machine without any address could not have been asked: then it is ip that says nothing. */
export const addressCheck = {
  name: 'address',
  scope: 'host',
  summary: 'the machine has the address that the inventory gives it',
  fix: 'correct `address` in the inventory, or the network of the machine that answers there',
  check: ({ address }, { addresses }) =>
    addresses.length === 0
      ? [
          {
            detail: `cannot tell whether ${address} is an address of this machine: ip printed none at all`,
            next: 'see what it says on the host: ip -4 addr show scope global',
          },
        ]
      : failIf(
          !addresses.some((found) => found.split('/')[0] === address),
          `${address} is not an address of this machine (it has ${addresses.join(', ')})`,
          'correct `address` in the inventory, or the machine that answers there',
        ),
} satisfies HostCheck;

export const cgroupCheck = {
  name: 'cgroup',
  scope: 'host',
  summary: 'the kernel of a node has the cgroup controllers cpu, memory and pids switched on',
  fix: 'correct cgroup_enable and cgroup_disable on the kernel command line, and reboot; on a Raspberry Pi, add cgroup_enable=memory to /boot/firmware/cmdline.txt',
  check: (host, { cgroup, controllers, model }) => {
    const missing = ['cpu', 'memory', 'pids'].filter((controller) => !controllers.includes(controller));
    return failIf(
      isNode(host) && missing.length > 0,
      `cgroup ${cgroup} has only these controllers: ${controllers.join(', ') || 'none'}`,
      missing.join() === 'memory' && model.startsWith('Raspberry Pi')
        ? `a ${model} starts with the controller memory off: add cgroup_enable=memory to the one line of /boot/firmware/cmdline.txt (/boot/cmdline.txt on older systems), and reboot`
        : 'a kubelet needs cpu, memory and pids: see cgroup_enable and cgroup_disable on the kernel command line',
    );
  },
} satisfies HostCheck;

export const swapCheck = {
  name: 'swap',
  scope: 'host',
  summary:
    'compressed swap (zram) of a node, if any, is made by zram-tools, zram-config or systemd-zram-generator, which kbs switches off like other swap; where `swap` leaves swap on, the node has cgroup v2',
  fix: 'switch off what makes it, and swapoff -a; or write `swap: { behavior: NoSwap }`',
  check: (host, facts) =>
    host.swap === undefined
      ? checkNoSwap(host, facts)
      : failIf(
          facts.cgroup === 'v1',
          `the inventory leaves swap on, and with cgroup ${facts.cgroup} a kubelet cannot keep pods from it`,
          'boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1 on the kernel command line), or write `swap: { behavior: none }` for this host',
        ),
} satisfies HostCheck;

/** Memory that is swap only a program makes, at every boot; kbs masks the units that it knows. */
const checkNoSwap = (host: ClusterHost, { swaps, system }: Facts): readonly FailedCheck[] => {
  const inMemory = swaps.filter((device) => device.startsWith('/dev/zram'));
  return failIf(
    isNode(host) && inMemory.length > 0 && (system?.zramUnits ?? []).length === 0,
    `what makes swap on ${inMemory.join(', ')} at every boot is not known to kbs, so it would be there again`,
    'switch off what makes it (Armbian: SWAP=false in /etc/default/armbian-zram-config), and: swapoff -a; or leave swap on with `swap: { behavior: NoSwap }`; other swap is switched off by kbs',
  );
};

export const kernelFeaturesCheck = {
  name: 'kernel-features',
  scope: 'host',
  summary: 'the kernel of a node has overlay, br_netfilter, nf_conntrack, nf_tables, and ip_vs for that proxy mode',
  fix: "install the package with the kernel's modules, or boot a kernel that has them",
  check: (host, { features, kernel, tools }, { kubernetes }) =>
    featuresNeeded(host, kubernetes.proxy)
      // A kernel with nf_tables built in is asked by nft; where kbs still has to install it nothing is known.
      .filter((feature) => !features.includes(feature) && (feature !== 'nf_tables' || tools.includes('nft')))
      .map((feature) => ({
        detail: `kernel ${kernel} lacks ${feature}`,
        next:
          feature === 'ip_vs'
            ? 'set `kubernetes: { proxy: nftables }`, or boot a kernel with ip_vs'
            : `boot a kernel with ${feature}, or install the package that brings its module`,
      })),
} satisfies HostCheck;

const featuresNeeded = (host: ClusterHost, proxy: Cluster['kubernetes']['proxy']): readonly string[] => {
  if (!isNode(host)) return [];
  const always = ['overlay', 'br_netfilter', 'nf_conntrack', 'nf_tables'];
  return proxy === 'ipvs' ? [...always, 'ip_vs'] : always;
};

export const toolsCheck = {
  name: 'tools',
  scope: 'host',
  summary: 'ip, systemctl, sha256sum and base64 are installed',
  fix: 'install the packages iproute2, systemd and coreutils',
  check: (_host, { tools }) =>
    ['ip', 'systemctl', 'sha256sum', 'base64'].flatMap((tool) =>
      failIf(!tools.includes(tool), `${tool} is not installed`, `install the package that brings ${tool}`),
    ),
} satisfies HostCheck;
