import { Failure } from '../failure.js';
import type { Facts, LiveRoute } from '../hosts/facts/facts.js';
import { contains, networkOf, overlaps } from '../inventory/addresses.js';
import {
  apiServerPort,
  balancerHealthPort,
  type Cluster,
  type ClusterHost,
  isControlPlane,
  isLoadBalancer,
  isNode,
} from '../inventory/cluster.js';
import { clusterCheckNames } from './cluster-checks.js';
import { checkForeignCni, checkForeignUnit } from './conflicts.js';
import { checkDnsPort, checkResolver } from './dns.js';
import type { FailedCheck } from './failed-check.js';
import { checkFirewall } from './firewall.js';
import { vipCheckNames } from './vip-probe.js';

/**
 * What must be so of a host before kbs changes it. Pure: facts in, refusals out, all at once.
 * Each check has a name, so that `--skip-check NAME` can pass over it.
 */
export const checkHost = (
  host: ClusterHost,
  facts: Facts,
  cluster: Cluster,
  skipped: ReadonlySet<string> = new Set(),
): readonly Failure[] =>
  Object.entries(checks)
    .filter(([name]) => !skipped.has(name))
    .flatMap(([name, check]) =>
      check(host, facts, cluster).map(
        ({ what, next }) => new Failure('preflight', `${name}: ${what}`, { where: { host: host.name }, next }),
      ),
    );

export const hostCheckNames = (): readonly string[] => [
  ...new Set([...Object.keys(checks), ...clusterCheckNames, ...vipCheckNames]),
];

type Check = (host: ClusterHost, facts: Facts, cluster: Cluster) => readonly FailedCheck[];

const refuse = (when: boolean, what: string, next: string): readonly FailedCheck[] => (when ? [{ what, next }] : []);

const checks: Readonly<Record<string, Check>> = {
  root: (_host, { uid }) =>
    refuse(uid !== 0, `commands run as uid ${uid}, not as root`, 'log in as root, or set `ssh: { become: sudo }`'),

  systemd: (_host, { systemd }) =>
    refuse(!systemd, 'systemd does not run this machine', 'kbs needs a distribution that boots with systemd'),

  architecture: (_host, { arch }) =>
    refuse(arch !== 'x86_64', `the machine is ${arch}`, 'this release of kbs brings programs for x86_64 only'),

  address: ({ address }, { addresses }) =>
    refuse(
      !addresses.some((found) => found.split('/')[0] === address),
      `${address} is not an address of this machine (it has ${addresses.join(', ') || 'none'})`,
      'correct `address` in the inventory, or the machine that answers there',
    ),

  cgroup: (host, { cgroup, controllers }) =>
    refuse(
      isNode(host) && ['cpu', 'memory', 'pids'].some((controller) => !controllers.includes(controller)),
      `cgroup ${cgroup} has only these controllers: ${controllers.join(', ') || 'none'}`,
      'a kubelet needs cpu, memory and pids: see cgroup_enable and cgroup_disable on the kernel command line',
    ),

  swap: (host, { swaps }) =>
    refuse(
      isNode(host) && swaps.some((device) => device.startsWith('/dev/zram')),
      `swap on ${swaps.join(', ')} is made anew by a service at every boot`,
      'remove that service (zram-tools, systemd-zram-generator); other swap is switched off by kbs',
    ),

  'kernel-features': (host, { features, kernel }, { kubernetes }) =>
    featuresNeeded(host, kubernetes.proxy)
      .filter((feature) => !features.includes(feature))
      .flatMap((feature) =>
        refuse(
          true,
          `kernel ${kernel} lacks ${feature}`,
          feature === 'ip_vs'
            ? 'set `kubernetes: { proxy: nftables }`, or boot a kernel with ip_vs'
            : `boot a kernel with ${feature}, or install the package that brings its module`,
        ),
      ),

  tools: (_host, { tools }) =>
    ['ip', 'systemctl', 'sha256sum', 'base64'].flatMap((tool) =>
      refuse(!tools.includes(tool), `${tool} is not installed`, `install the package that brings ${tool}`),
    ),

  nftables: (host, { tools }) =>
    refuse(isNode(host) && !tools.includes('nft'), 'nft is not installed', 'install the package nftables'),

  ports: (host, { listeners }, cluster) =>
    portsOf(host, cluster).flatMap(([port, ...owners]) =>
      listeners
        .filter(
          (listener) => listener.port === port && !owners.some((owner) => owner.startsWith(listener.process || '?')),
        )
        .slice(0, 1)
        .flatMap(({ process }) =>
          refuse(
            true,
            `port ${port}, which ${owners[0]} needs, is in use by ${process || 'another process'}`,
            `stop it, or see who it is: ss -ltnp sport = :${port}`,
          ),
        ),
    ),

  firewall: checkFirewall,
  'foreign-cni': checkForeignCni,
  'foreign-unit': checkForeignUnit,
  'dns-port': checkDnsPort,
  resolver: checkResolver,

  vip: (host, { addresses }, { endpoint }) => {
    const { vip, external } = endpoint;
    return refuse(
      vip !== undefined &&
        !external &&
        isLoadBalancer(host) &&
        !addresses.some((found) => !found.endsWith('/32') && contains(networkOf(found), vip)),
      `no interface is in the network of ${vip} (the machine has ${addresses.join(', ') || 'no address'})`,
      'write an endpoint.vip that lies in a network of every load balancer',
    );
  },

  // The kernel looks for a route before kube-proxy turns a Service's address into a pod's; in mode ipvs it is local.
  'default-route': (host, { routes }, { network: { services }, kubernetes }) => {
    const leads = routes.some(({ to }) => to === 'default' || contains(to, services));
    const lan = routes.find(({ to, via }) => to !== 'default' && via === undefined && contains(to, host.address));
    return refuse(
      isNode(host) && kubernetes.proxy !== 'ipvs' && !leads,
      `programs of the host itself cannot reach Services, ${services}: there is no default route, and none of their own`,
      `set a default route, or one for them alone: ip route add ${services} dev ${lan?.device || 'DEVICE'}; see that it is there after a reboot`,
    );
  },

  'network-overlap': (host, { routes, addresses }, cluster) => {
    const ours = new Set((cluster.routes[host.name] ?? []).map(({ to }) => to));
    const { pods, services } = cluster.network;
    return routes
      .filter(
        (route) =>
          route.to !== 'default' &&
          route.device !== 'cni0' &&
          !ours.has(route.to) &&
          !stale(route, pods) &&
          !forServices(route, services, addresses),
      )
      .flatMap(({ to, device }) =>
        (
          [
            ['pods', pods],
            ['services', services],
          ] as const
        ).flatMap(([name, cidr]) =>
          refuse(
            overlaps(cidr, to),
            `network.${name} ${cidr} overlaps the route to ${to}${device && ` on ${device}`}`,
            `choose another network.${name} in the inventory`,
          ),
        ),
      );
  },
};

/** A route by a gateway to a part of the pod network is a leftover of kbs's own, which the routes phase replaces. */
const stale = ({ to, via }: LiveRoute, pods: string): boolean => via !== undefined && contains(pods, to) && to !== pods;

/** What `default-route` advises: a link's route to the Services alone, on a link that has no address of theirs. */
const forServices = ({ to, via }: LiveRoute, services: string, addresses: readonly string[]): boolean =>
  to === services && via === undefined && !addresses.some((address) => overlaps(networkOf(address), services));

const featuresNeeded = (host: ClusterHost, proxy: Cluster['kubernetes']['proxy']): readonly string[] => {
  if (!isNode(host)) return [];
  const always = ['overlay', 'br_netfilter', 'nf_conntrack', 'nf_tables'];
  return proxy === 'ipvs' ? [...always, 'ip_vs'] : always;
};

/** The ports that must be free, or held by the components that they belong to. */
const portsOf = (host: ClusterHost, { endpoint }: Cluster): readonly (readonly [number, ...string[]])[] => {
  const balances = isLoadBalancer(host) && !endpoint.external;
  // On a control plane haproxy may have the same port, on the virtual address.
  const shared = balances && isControlPlane(host) && endpoint.port === apiServerPort;
  return [
    ...(isControlPlane(host)
      ? [[apiServerPort, 'kube-apiserver', ...(shared ? ['haproxy'] : [])] as const, ...controlPlanePorts]
      : []),
    ...(isNode(host) ? nodePorts : []),
    ...(balances && !shared ? [[endpoint.port, 'haproxy'] as const] : []),
    ...(balances ? [[balancerHealthPort, 'haproxy'] as const] : []),
  ];
};

const controlPlanePorts = [
  [2379, 'etcd'],
  [2380, 'etcd'],
  [2381, 'etcd'],
  [10257, 'kube-controller-manager'],
  [10259, 'kube-scheduler'],
] as const;

const nodePorts = [
  [10250, 'kubelet'],
  [10248, 'kubelet'],
  [10249, 'kube-proxy'],
  [10256, 'kube-proxy'],
] as const;
