import { sh } from '../../hosts/shell.js';
import { type Cluster, type ClusterHost, isControlPlane, isDns, isNode } from '../../inventory/cluster.js';
import { hasHostMetrics } from '../../inventory/metrics.js';
import type { Resource } from '../../resources/resource.js';
import { artifactsOf } from '../artifacts-of.js';
import { packagesFor } from '../packages.js';
import type { Phase, PhaseContext } from '../phase.js';

/** The operating system: what a kubelet and a container runtime ask of any Linux machine. */
export const prepare: Phase = {
  name: 'prepare',
  ensures: 'nft, kernel features, sysctls, swap off or left on, the host knows its own name and that of the API',
  appliesTo: (host, cluster) => isMember(host) || isDns(host) || hasHostMetrics(host, cluster),
  resources(host, context) {
    const unpacker = artifactsOf(host, context).unpacker();
    return [
      ...packagesFor('node', host, context),
      ...(isNode(host) ? forPods(host, context) : []),
      ...(isMember(host) ? names(host, context.cluster) : []),
      ...(unpacker === undefined
        ? []
        : [{ kind: 'binary', path: '/usr/local/lib/kbs/unzstd', content: unpacker } as const]),
    ];
  },
};

/** Part of the Kubernetes cluster, with or without pods. */
const isMember = (host: ClusterHost): boolean => isNode(host) || isControlPlane(host);

const names = (host: ClusterHost, { endpoint }: Cluster): readonly Resource[] => [
  { kind: 'hosts-entry', address: host.address, names: [host.name] },
  ...(endpoint.name === undefined || endpoint.address === undefined
    ? []
    : [{ kind: 'hosts-entry', address: endpoint.address, names: [endpoint.name] } as const]),
  { kind: 'directory', path: '/etc/kubernetes', mode: '0755' },
];

const modules: readonly Resource[] = [
  { kind: 'kernel-module', name: 'overlay', check: sh`grep -qw overlay /proc/filesystems` },
  { kind: 'kernel-module', name: 'br_netfilter', check: sh`[ -e /proc/sys/net/bridge ]` },
  { kind: 'kernel-module', name: 'nf_conntrack', check: sh`[ -e /proc/sys/net/netfilter/nf_conntrack_max ]` },
];

/**
 * What hosts that packets of pods pass need. Loose reverse-path filtering (2): a pod's answer may leave by another
 * interface than its question came in by.
 */
export const forwarding = (host: ClusterHost, context: Pick<PhaseContext, 'facts'>): readonly Resource[] => [
  { kind: 'sysctl', name: 'net.ipv4.ip_forward', value: '1' },
  { kind: 'sysctl', name: 'net.ipv4.conf.all.rp_filter', value: '2' },
  ...(host.ipv6 === undefined ? [] : ipv6Forwarding(host, context)),
];

/**
 * A kernel that forwards IPv6 listens to no router's advertisements, and drops the default route that it has from one,
 * unless accept_ra is 2 by then (Linux, ip-sysctl.rst). So that comes first.
 */
const ipv6Forwarding = ({ name }: ClusterHost, { facts }: Pick<PhaseContext, 'facts'>): readonly Resource[] => [
  ...(facts(name).ipv6?.advertisedLinks ?? []).map(
    (link): Resource => ({
      kind: 'sysctl',
      name: `net.ipv6.conf.${link.replaceAll('.', '/')}.accept_ra`,
      value: '2',
    }),
  ),
  { kind: 'sysctl', name: 'net.ipv6.conf.all.forwarding', value: '1' },
];

const forPods = (host: ClusterHost, context: PhaseContext): readonly Resource[] => [
  ...modules,
  ...forwarding(host, context),
  { kind: 'sysctl', name: 'net.bridge.bridge-nf-call-iptables', value: '1' },
  ...(host.ipv6 === undefined
    ? []
    : [{ kind: 'sysctl', name: 'net.bridge.bridge-nf-call-ip6tables', value: '1' } as const]),
  { kind: 'sysctl', name: 'fs.inotify.max_user_instances', value: '1024' },
  // Before the kubelet starts, which asks how much there is once.
  { kind: 'swap', state: host.swap === undefined ? 'off' : 'as-found' },
];
