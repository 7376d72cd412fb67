import type { Facts } from '../hosts/facts/facts.js';
import { type Cluster, type ClusterHost, isNode } from '../inventory/cluster.js';
import { type FailedCheck, failIf } from './check.js';

/** What kbs and a kubelet need of a machine and its kernel, whatever else runs there. */
export const checkRoot = (_host: ClusterHost, { uid }: Facts): readonly FailedCheck[] =>
  failIf(uid !== 0, `commands run as uid ${uid}, not as root`, 'log in as root, or set `ssh: { become: sudo }`');

export const checkSystemd = (_host: ClusterHost, { systemd }: Facts): readonly FailedCheck[] =>
  failIf(!systemd, 'systemd does not run this machine', 'kbs needs a distribution that boots with systemd');

/** A machine without any address could not have been asked: then it is ip that says nothing. */
export const checkAddress = ({ address }: ClusterHost, { addresses }: Facts): readonly FailedCheck[] =>
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
      );

export const checkCgroup = (host: ClusterHost, { cgroup, controllers, model }: Facts): readonly FailedCheck[] => {
  const missing = ['cpu', 'memory', 'pids'].filter((controller) => !controllers.includes(controller));
  return failIf(
    isNode(host) && missing.length > 0,
    `cgroup ${cgroup} has only these controllers: ${controllers.join(', ') || 'none'}`,
    missing.join() === 'memory' && model.startsWith('Raspberry Pi')
      ? `a ${model} starts with the controller memory off: add cgroup_enable=memory to the one line of /boot/firmware/cmdline.txt (/boot/cmdline.txt on older systems), and reboot`
      : 'a kubelet needs cpu, memory and pids: see cgroup_enable and cgroup_disable on the kernel command line',
  );
};

export const checkSwap = (host: ClusterHost, facts: Facts): readonly FailedCheck[] =>
  host.swap === undefined
    ? checkNoSwap(host, facts)
    : failIf(
        facts.cgroup === 'v1',
        `the inventory leaves swap on, and with cgroup ${facts.cgroup} a kubelet cannot keep pods from it`,
        'boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1 on the kernel command line), or write `swap: { behavior: none }` for this host',
      );

/** Memory that is swap only a program makes, at every boot; kbs masks the units that it knows. */
const checkNoSwap = (host: ClusterHost, { swaps, system }: Facts): readonly FailedCheck[] => {
  const inMemory = swaps.filter((device) => device.startsWith('/dev/zram'));
  return failIf(
    isNode(host) && inMemory.length > 0 && (system?.zramUnits ?? []).length === 0,
    `what makes swap on ${inMemory.join(', ')} at every boot is not known to kbs, so it would be there again`,
    'switch off what makes it (Armbian: SWAP=false in /etc/default/armbian-zram-config), and: swapoff -a; or leave swap on with `swap: { behavior: NoSwap }`; other swap is switched off by kbs',
  );
};

export const checkKernelFeatures = (
  host: ClusterHost,
  { features, kernel, tools }: Facts,
  { kubernetes }: Cluster,
): readonly FailedCheck[] =>
  featuresNeeded(host, kubernetes.proxy)
    // A kernel with nf_tables built in is asked by nft; where kbs still has to install it nothing is known.
    .filter((feature) => !features.includes(feature) && (feature !== 'nf_tables' || tools.includes('nft')))
    .map((feature) => ({
      detail: `kernel ${kernel} lacks ${feature}`,
      next:
        feature === 'ip_vs'
          ? 'set `kubernetes: { proxy: nftables }`, or boot a kernel with ip_vs'
          : `boot a kernel with ${feature}, or install the package that brings its module`,
    }));

const featuresNeeded = (host: ClusterHost, proxy: Cluster['kubernetes']['proxy']): readonly string[] => {
  if (!isNode(host)) return [];
  const always = ['overlay', 'br_netfilter', 'nf_conntrack', 'nf_tables'];
  return proxy === 'ipvs' ? [...always, 'ip_vs'] : always;
};

export const checkTools = (_host: ClusterHost, { tools }: Facts): readonly FailedCheck[] =>
  ['ip', 'systemctl', 'sha256sum', 'base64'].flatMap((tool) =>
    failIf(!tools.includes(tool), `${tool} is not installed`, `install the package that brings ${tool}`),
  );
