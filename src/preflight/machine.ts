import type { Facts } from '../hosts/facts/facts.js';
import { type Cluster, type ClusterHost, isNode } from '../inventory/cluster.js';
import { type FailedCheck, failIf } from './check.js';

/** What kbs and a kubelet need of a machine and its kernel, whatever else runs there. */
export const checkRoot = (_host: ClusterHost, { uid }: Facts): readonly FailedCheck[] =>
  failIf(uid !== 0, `commands run as uid ${uid}, not as root`, 'log in as root, or set `ssh: { become: sudo }`');

export const checkSystemd = (_host: ClusterHost, { systemd }: Facts): readonly FailedCheck[] =>
  failIf(!systemd, 'systemd does not run this machine', 'kbs needs a distribution that boots with systemd');

export const checkAddress = ({ address }: ClusterHost, { addresses }: Facts): readonly FailedCheck[] =>
  failIf(
    !addresses.some((found) => found.split('/')[0] === address),
    `${address} is not an address of this machine (it has ${addresses.join(', ') || 'none'})`,
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

export const checkSwap = (host: ClusterHost, { cgroup, swaps }: Facts): readonly FailedCheck[] =>
  host.swap === undefined
    ? checkNoSwap(host, swaps)
    : failIf(
        cgroup === 'v1',
        `the inventory leaves swap on, and with cgroup ${cgroup} a kubelet cannot keep pods from it`,
        'boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1 on the kernel command line), or write `swap: { behavior: none }` for this host',
      );

const checkNoSwap = (host: ClusterHost, swaps: Facts['swaps']): readonly FailedCheck[] =>
  failIf(
    isNode(host) && swaps.some((device) => device.startsWith('/dev/zram')),
    `swap on ${swaps.join(', ')} is made anew by a service at every boot`,
    'remove that service (zram-tools, systemd-zram-generator), or leave swap on with `swap: { behavior: NoSwap }`; other swap is switched off by kbs',
  );

export const checkKernelFeatures = (
  host: ClusterHost,
  { features, kernel }: Facts,
  { kubernetes }: Cluster,
): readonly FailedCheck[] =>
  featuresNeeded(host, kubernetes.proxy)
    .filter((feature) => !features.includes(feature))
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

export const checkNftables = (host: ClusterHost, { tools }: Facts): readonly FailedCheck[] =>
  failIf(isNode(host) && !tools.includes('nft'), 'nft is not installed', 'install the package nftables');
