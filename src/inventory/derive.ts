import { resolve } from 'node:path';
import { defined } from '../defined.js';
import { contains, nthAddress } from './addresses.js';
import type {
  Addon,
  AddressPool,
  ApiServerSettings,
  ChartSource,
  Cluster,
  ClusterHost,
  Endpoint,
  ExternalEtcd,
  PullProxy,
  RegistryAuth,
  RegistryRule,
  RoutesByHost,
  SshLogin,
  SshSettings,
  Values,
} from './cluster.js';
import { isControlPlane, isLoadBalancer } from './cluster.js';
import type { ApiServerFile } from './components/api-server-files.js';
import { isOci } from './formats.js';
import { freeze } from './freeze.js';
import { ipv6PodsBeside, runsPods } from './host-pods.js';
import { hopsOf, wayTo } from './jump.js';
import { parseRange } from './ranges.js';
import { defaults, type Inventory, type InventoryHost, type InventorySsh } from './schema/schema.js';

/** Computes what follows from the addresses of an inventory; `src/network` has both. */
export interface NetworkPlanner {
  readonly planPods: PodPlanner;
  compileRoutes(cluster: Omit<Cluster, 'routes'>): RoutesByHost;
}

/** Assigns pod CIDRs. */
export type PodPlanner = (input: {
  readonly pods: string;
  readonly segments: readonly {
    readonly name: string;
    readonly cidr: string;
    readonly pods?: string;
    readonly hosts: readonly { readonly name: string; readonly address: string; readonly podCIDR?: string }[];
  }[];
}) => {
  readonly segments: readonly { readonly name: string; readonly podCidr: string; readonly capacity: number }[];
  readonly hosts: Readonly<Record<string, string>>;
};

/** The folders and keys that an inventory's paths and defaults refer to. */
export interface BasePaths {
  /** The inventory's folder, absolute. */
  readonly directory: string;
  /** The operator's home folder, absolute. */
  readonly home: string;
  /** The private keys that ssh itself tries, for an inventory that names none. */
  readonly keys: readonly string[];
  /** PEM certificates of the authorities of registries, by the registry's name. */
  readonly registryCas?: Readonly<Record<string, string>>;
  /** What the files hold that `kubernetes.apiServer` names. */
  readonly apiServerFiles?: Readonly<Partial<Record<ApiServerFile, Values>>>;
  /** What the files hold that `kubernetes.etcd.external` names. */
  readonly externalEtcd?: Omit<ExternalEtcd, 'endpoints'>;
}

/** SSH settings of a lab, which replace those of the inventory. */
export interface SshOverlay extends Partial<Pick<SshSettings, 'keys' | 'knownHosts'>> {
  /** The address for SSH, by host name. */
  readonly addresses?: Readonly<Record<string, string>>;
}

/** Computes everything that follows from an inventory, frozen. Pure. `overlay` takes precedence over all SSH settings. */
export const derive = (
  inventory: Inventory,
  { planPods, compileRoutes }: NetworkPlanner,
  basePaths: BasePaths,
  overlay?: SshOverlay,
): Cluster => {
  const { network, kubernetes, dns, artifacts } = inventory;
  const plan = planPods(podPlanInput(inventory));
  const ssh = sshOfHosts(inventory, basePaths, overlay);
  const hosts = Object.entries(inventory.hosts).map(([name, host]): ClusterHost => {
    return {
      name,
      address: host.address,
      roles: host.roles,
      segment: segmentOf(inventory, host.address),
      addresses: host.addresses ?? {},
      ...defined({
        podCidr: plan.hosts[name],
        hypervisor: host.hypervisor,
        timeServers: (host.time ?? inventory.time)?.servers,
        lab: host.lab && defined(host.lab),
        ipv6: ipv6OfHost(inventory, host, plan.hosts[name]),
      }),
      ...gpuOf(host),
      ...packagesOf(inventory, host),
      ...kubeletOf(inventory, host),
      ...swapOf(inventory, host),
      labels: labelsOf(inventory, host),
      taints: taintsOf(host),
      ssh: ssh(name, host),
    };
  });
  const cluster: Omit<Cluster, 'routes'> = {
    name: inventory.cluster,
    kubernetes: kubernetesOf(kubernetes, basePaths),
    domain: network.domain,
    network: {
      pods: network.pods,
      services: network.services,
      apiServiceAddress: nthAddress(network.services, 1),
      dnsServiceAddress: nthAddress(network.services, 10),
      segments: plan.segments.map((segment) => {
        const { cidr = '', gateway, mtu, ipv6 } = network.segments[segment.name] ?? {};
        const half = network.ipv6 &&
          ipv6 && { ...defined(ipv6), podCidr: ipv6PodsBeside(segment.podCidr, network.pods, network.ipv6) };
        return { ...segment, cidr, ...defined({ gateway, mtu, ipv6: half }) };
      }),
      ...defined({ ipv6: network.ipv6 && ipv6Of(network.ipv6) }),
    },
    endpoint: endpointOf(inventory, hosts),
    upstreams: dns?.upstreams ?? [],
    ...defined({ zone: dns?.zone }),
    hostsUseDns: dns?.useOnHosts ?? false,
    records: Object.entries(dns?.records ?? {}).map(([name, value]) => ({ name, value })),
    forwards: (inventory.loadBalancer?.forward ?? []).map(({ port, to, targetPort = port, proxyProtocol }) => ({
      port,
      to: [to].flat(),
      targetPort,
      proxyProtocol,
    })),
    artifacts: {
      source: artifacts.source,
      ...(artifacts.fetch === 'hosts' ? { fetch: artifacts.fetch } : {}),
      ...defined({
        bundle: artifacts.bundle === undefined ? undefined : absolute(artifacts.bundle, basePaths),
        pins: artifacts.pins === undefined ? undefined : absolute(artifacts.pins, basePaths),
        mirrors: artifacts.mirrors,
      }),
    },
    ...defined({
      registries: inventory.registries && registriesOf(inventory.registries, basePaths),
      proxy: inventory.proxy && proxyOf(inventory, inventory.proxy),
    }),
    ...defined({ addons: inventory.addons && addonsOf(inventory, inventory.addons, basePaths) }),
    hosts,
  };
  // A copy, because nothing that belongs to the caller may be frozen.
  const copy = structuredClone(cluster);
  const etcd = externalEtcdOf(kubernetes, basePaths);
  return freeze({
    ...copy,
    kubernetes: { ...copy.kubernetes, ...defined({ externalEtcd: etcd }) },
    routes: compileRoutes(cluster),
  });
};

const ipv6Of = ({ pods, services }: NonNullable<Inventory['network']['ipv6']>): Cluster['network']['ipv6'] => ({
  pods,
  services,
  apiServiceAddress: nthAddress(services, 1),
  dnsServiceAddress: nthAddress(services, 10),
});

const ipv6OfHost = (inventory: Inventory, host: InventoryHost, podCidr: string | undefined): ClusterHost['ipv6'] => {
  const { network } = inventory;
  if (network.ipv6 === undefined || host.ipv6 === undefined) return undefined;
  const beside = podCidr === undefined ? undefined : ipv6PodsBeside(podCidr, network.pods, network.ipv6);
  const addresses = typeof host.ipv6 === 'string' ? {} : host.ipv6;
  const address = typeof host.ipv6 === 'string' ? host.ipv6 : addresses[segmentOf(inventory, host.address)];
  return { address: address ?? '', addresses, ...defined({ podCidr: beside }) };
};

const externalEtcdOf = ({ etcd }: Inventory['kubernetes'], { externalEtcd }: BasePaths): ExternalEtcd | undefined =>
  etcd?.external && {
    endpoints: [...new Set(etcd.external.endpoints)],
    ...(externalEtcd ?? { ca: '', certificate: '' }),
  };

const kubernetesOf = (kubernetes: Inventory['kubernetes'], { apiServerFiles }: BasePaths): Cluster['kubernetes'] => {
  const { version, controlPlane, proxy, featureGates, kubeProxy, apiServer } = kubernetes;
  const extraFlags = defined({
    'kube-apiserver': flagsOf(apiServer?.extra),
    'kube-controller-manager': flagsOf(kubernetes.controllerManager?.extra),
    'kube-scheduler': flagsOf(kubernetes.scheduler?.extra),
    etcd: flagsOf(kubernetes.etcd?.extra),
  });
  return {
    version,
    controlPlane,
    proxy,
    ...(Object.keys(extraFlags).length > 0 ? { extraFlags } : {}),
    ...defined({ featureGates, kubeProxy, apiServer: apiServer && apiServerOf(apiServer, apiServerFiles) }),
  };
};

type Flags = NonNullable<NonNullable<Inventory['kubernetes']['etcd']>['extra']>;

const flagsOf = (extra: Flags | undefined): Readonly<Record<string, string>> | undefined =>
  extra && Object.fromEntries(Object.entries(extra).map(([flag, value]) => [flag, [value].flat().join(',')]));

const apiServerOf = (
  { audit }: NonNullable<Inventory['kubernetes']['apiServer']>,
  { policy, ...files }: NonNullable<BasePaths['apiServerFiles']> = {},
): ApiServerSettings => ({
  ...files,
  ...(audit === undefined ? {} : { audit: defined({ ...audit, policy }) }),
});

const registriesOf = (
  registries: NonNullable<Inventory['registries']>,
  basePaths: BasePaths,
): readonly RegistryRule[] =>
  Object.entries(registries).map(([name, { mirrors = [], plainHttp = false, auth }]) => ({
    name,
    mirrors,
    plainHttp,
    ...defined({ ca: basePaths.registryCas?.[name], auth: auth && registryAuthOf(auth, basePaths) }),
  }));

const registryAuthOf = (
  { username, passwordFile, passwordVariable = '' }: InventoryRegistryAuth,
  basePaths: BasePaths,
): RegistryAuth => ({
  username,
  password: passwordFile === undefined ? { variable: passwordVariable } : { file: absolute(passwordFile, basePaths) },
});

type InventoryRegistryAuth = NonNullable<NonNullable<Inventory['registries']>[string]['auth']>;

/** Go's programs take CIDRs, and a domain with a dot before it stands for all names below. */
const proxyOf = (
  { network, endpoint, dns }: Inventory,
  { url, exclude = [] }: NonNullable<Inventory['proxy']>,
): PullProxy => ({
  url,
  exclude: [
    'localhost',
    '127.0.0.0/8',
    network.pods,
    network.services,
    ...Object.values(network.segments).map(({ cidr }) => cidr),
    ...(network.ipv6 === undefined ? [] : [network.ipv6.pods, network.ipv6.services]),
    ...Object.values(network.segments).flatMap(({ ipv6 }) => (ipv6 === undefined ? [] : [ipv6.cidr])),
    '.svc',
    `.${network.domain}`,
    ...(endpoint?.name === undefined ? [] : [endpoint.name]),
    ...(dns?.zone === undefined ? [] : [`.${dns.zone}`]),
    ...exclude,
  ],
});

const addonsOf = (
  inventory: Inventory,
  addons: NonNullable<Inventory['addons']>,
  basePaths: BasePaths,
): readonly Addon[] =>
  Object.entries(addons).flatMap(([name, written]): readonly Addon[] => {
    const { values = {}, adopt = false, timeout: timeoutSeconds = defaults.addonTimeout } = written ?? {};
    const settings = { name, values, adopt, timeoutSeconds, ...defined({ chart: chartOf(written ?? {}, basePaths) }) };
    if (name === 'metrics-server') return [{ ...settings, is: name }];
    if (name === 'storage') {
      const { path = defaults.volumes, reclaim = 'Delete', default: isDefault = true } = addons[name] ?? {};
      return [{ ...settings, is: name, path, reclaim, isDefault }];
    }
    if (name === 'nfs-storage') {
      const { server = '', path = '', reclaim = 'Delete', default: isDefault = false } = addons[name] ?? {};
      return [{ ...settings, is: name, server, path, reclaim, isDefault }];
    }
    if (name === 'load-balancer-services') {
      return [{ ...settings, is: name, pools: poolsOf(inventory, [addons[name]?.pool ?? []].flat()) }];
    }
    if (name === 'ingress') return [{ ...settings, is: name }];
    if (name === 'cert-manager') {
      const { acme } = addons[name] ?? {};
      return [{ ...settings, is: name, ...(acme ? { acme: { server: defaults.acmeServer, ...defined(acme) } } : {}) }];
    }
    if (name === 'dashboard') return [{ ...settings, is: name, ...defined({ host: addons[name]?.host }) }];
    if (name === 'rancher') {
      const { host = '', replicas = defaults.rancherReplicas } = addons[name] ?? {};
      return [{ ...settings, is: name, host, replicas }];
    }
    if (name === 'monitoring') {
      const { retention = defaults.retention, grafana, images = 'registries' } = addons[name] ?? {};
      return [{ ...settings, is: name, retention, images, ...defined({ host: grafana?.host }) }];
    }
    const { namespace = '' } = written as NonNullable<Inventory['addons']>[string];
    return [{ chart: { path: '' }, ...settings, is: 'own', namespace }];
  });

const chartOf = (
  { chart, repository, version = '', sha256 }: Partial<NonNullable<Inventory['addons']>[string]>,
  basePaths: BasePaths,
): ChartSource | undefined => {
  if (chart === undefined) return undefined;
  if (repository !== undefined) return { repository, name: chart, version, ...defined({ sha256 }) };
  if (!isOci(chart)) return { path: absolute(chart, basePaths) };
  const slash = chart.lastIndexOf('/');
  return { repository: chart.slice(0, slash), name: chart.slice(slash + 1), version, ...defined({ sha256 }) };
};

const poolsOf = (inventory: Inventory, ranges: readonly string[]): readonly AddressPool[] => {
  const located = ranges.map((range) => ({ range, segment: segmentOf(inventory, parseRange(range)?.first ?? '') }));
  return [...new Set(located.map(({ segment }) => segment))].map((segment) => ({
    segment,
    ranges: located.filter((each) => each.segment === segment).map(({ range }) => range),
  }));
};

/** A field of the host replaces that of all hosts, however much it holds. */
const kubeletOf = ({ kubernetes }: Inventory, { kubelet, roles }: InventoryHost): Pick<ClusterHost, 'kubelet'> => {
  const fields = { ...kubernetes.kubelet, ...kubelet };
  return Object.keys(fields).length > 0 && runsPods(roles, kubernetes.controlPlane) ? { kubelet: fields } : {};
};

const swapOf = ({ kubernetes, swap }: Inventory, host: InventoryHost): Pick<ClusterHost, 'swap'> => {
  const { behavior = 'none' } = host.swap ?? swap ?? {};
  return behavior === 'none' || !runsPods(host.roles, kubernetes.controlPlane) ? {} : { swap: behavior };
};

const packagesOf = ({ packages }: Inventory, host: InventoryHost): Pick<ClusterHost, 'packages'> => {
  const source = host.packages?.source ?? packages?.source ?? 'auto';
  return source === 'auto' ? {} : { packages: source };
};

const gpuOf = ({ gpu }: InventoryHost): Pick<ClusterHost, 'gpu' | 'gpuCount' | 'nvidia' | 'ignoresGpus'> => {
  if (gpu === undefined) return {};
  const { vendor, count, driver = 'host', timeSlicing, mig } = typeof gpu === 'string' ? { vendor: gpu } : gpu;
  const counted = defined({ gpuCount: count });
  if (vendor === 'none') return { ignoresGpus: true };
  if (vendor === 'amd') return { gpu: vendor, ...counted };
  return { gpu: vendor, ...counted, nvidia: { driver, ...defined({ timeSlicing, mig }) } };
};

const endpointOf = ({ endpoint }: Inventory, hosts: readonly ClusterHost[]): Endpoint => {
  const balancer = hosts.find(isLoadBalancer) ?? hosts.find(isControlPlane);
  const external = endpoint?.external ?? false;
  const address = endpoint?.vip ?? (external ? undefined : balancer?.address);
  return {
    host: endpoint?.name ?? address ?? '',
    port: endpoint?.port ?? defaults.port,
    ...(external ? { external } : {}),
    ...(endpoint?.ingress === true ? { ingress: true } : {}),
    ...defined({
      address,
      name: endpoint?.name,
      vip: endpoint?.vip,
      extraNames: endpoint?.extraNames,
      routerId: endpoint?.routerId,
    }),
  };
};

const podPlanInput = ({ network, hosts, kubernetes }: Inventory): Parameters<PodPlanner>[0] => ({
  pods: network.pods,
  segments: Object.entries(network.segments).map(([name, { cidr, pods }]) => ({
    name,
    cidr,
    ...defined({ pods }),
    hosts: Object.entries(hosts)
      .filter(([, host]) => runsPods(host.roles, kubernetes.controlPlane) && contains(cidr, host.address))
      .map(([host, { address, podCIDR }]) => ({ name: host, address, ...defined({ podCIDR }) })),
  })),
});

const segmentOf = ({ network }: Inventory, address: string): string =>
  Object.entries(network.segments).find(([, { cidr }]) => contains(cidr, address))?.[0] ?? '';

/** A segment is a failure domain, which Kubernetes calls a zone; `kubectl get nodes` shows the roles. */
const labelsOf = (inventory: Inventory, host: InventoryHost): Readonly<Record<string, string>> => ({
  ...(runsPods(host.roles, inventory.kubernetes.controlPlane)
    ? { 'topology.kubernetes.io/zone': segmentOf(inventory, host.address) }
    : {}),
  ...(host.roles.includes('control-plane') ? { [controlPlaneKey]: '' } : {}),
  ...(host.roles.includes('worker') ? { [workerKey]: '' } : {}),
  ...host.labels,
});

/** As with kubeadm: a control plane that is not a worker runs no ordinary pods. */
const taintsOf = ({ roles, taints = [] }: InventoryHost): readonly string[] =>
  roles.includes('control-plane') && !roles.includes('worker') ? [`${controlPlaneKey}:NoSchedule`, ...taints] : taints;

const controlPlaneKey = 'node-role.kubernetes.io/control-plane';
const workerKey = 'node-role.kubernetes.io/worker';

/** How to log in to each host. A lab has no jump hosts but its own hosts. */
const sshOfHosts = (inventory: Inventory, basePaths: BasePaths, overlay?: SshOverlay) => {
  const { addresses = {}, ...replaced } = overlay ?? {};
  const settingsOf = (host: InventoryHost): InventorySsh => ({ ...inventory.ssh, ...host.ssh });
  const straight = (name: string, host: InventoryHost) => ({
    ...sshOf(settingsOf(host), addresses[name] ?? host.address, basePaths),
    ...replaced,
  });
  const known = Object.fromEntries(
    Object.entries(inventory.hosts).map(([name, host]) => [name, loginOf(straight(name, host))]),
  );
  const keysOf = (keys: string | readonly string[]) => replaced.keys ?? keyPaths(keys, basePaths);
  return (name: string, host: InventoryHost): SshSettings => {
    const ssh = straight(name, host);
    const hops = hopsOf(settingsOf(host).jump).filter((hop) => overlay === undefined || hop.host in known);
    const jump = ssh.transport === 'local' ? [] : wayTo(ssh, hops, known, keysOf);
    const open = overlay === undefined && ssh.transport !== 'local' ? openIn(settingsOf(host)) : {};
    return { ...ssh, ...(jump.length > 0 ? { jump } : {}), ...open };
  };
};

/** What is left to the configuration of ssh on the operator's machine. */
const openIn = (ssh: InventorySsh): Pick<SshSettings, 'open'> => {
  if (ssh.config === 'none') return {};
  const open = (['user', 'port', 'key', 'knownHosts', 'jump', 'timeout'] as const).filter(
    (setting) => ssh[setting] === undefined,
  );
  return { open };
};

const loginOf = ({ transport, become, jump, ...login }: SshSettings): SshLogin => login;

const sshOf = (ssh: InventorySsh, address: string, basePaths: BasePaths): SshSettings => {
  return {
    transport: ssh.transport ?? 'ssh',
    address,
    port: ssh.port ?? 22,
    user: ssh.user ?? 'root',
    become: ssh.become ?? 'sudo',
    keys: ssh.key === undefined ? basePaths.keys : keyPaths(ssh.key, basePaths),
    knownHosts: absolute(ssh.knownHosts ?? '~/.ssh/known_hosts', basePaths),
    ...defined({ password: ssh.password, timeout: ssh.timeout }),
  };
};

const keyPaths = (keys: string | readonly string[], basePaths: BasePaths): readonly string[] =>
  [keys].flat().map((key) => absolute(key, basePaths));

/** A path of an inventory: `~` is the operator's home, and others start at the folder of the file. */
export const absolute = (path: string, { directory, home }: Pick<BasePaths, 'directory' | 'home'>): string =>
  path === '~' || path.startsWith('~/') ? resolve(home, path.slice(2)) : resolve(directory, path);
