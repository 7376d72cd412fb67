/**
 * The cluster: everything that follows from an inventory, derived once and frozen.
 * Addresses and CIDRs are strings in their canonical form, of IPv4 but for those in `ipv6`.
 */
/** Where binaries and images come from. */
export interface ArtifactSource {
  readonly source: 'auto' | 'upstream' | 'bundle' | 'go-modules';
  /** Who downloads what is published: the operator's machine, which is the default, or each host for itself. */
  readonly fetch?: 'hosts';
  /** Absolute path. */
  readonly bundle?: string;
  /** Absolute path of a file of digests, in place of those that kbs knows. */
  readonly pins?: string;
  /** Host of the internet → the https address that is asked instead. */
  readonly mirrors?: Readonly<Record<string, string>>;
}

export interface Cluster {
  readonly name: string;
  readonly kubernetes: {
    /** Without a leading v: `1.36.3`. */
    readonly version: string;
    readonly controlPlane: 'static-pods' | 'systemd';
    readonly proxy: 'nftables' | 'iptables' | 'ipvs';
    /** Flags of the owner, over those of kbs, as a command line has them: `max-requests-inflight` → `800`. */
    readonly extraFlags?: Readonly<Partial<Record<FlaggedComponent, Readonly<Record<string, string>>>>>;
    /** Of every component of Kubernetes; the defaults of Kubernetes for those that are not named. */
    readonly featureGates?: Readonly<Record<string, boolean>>;
    /** Fields of the KubeProxyConfiguration that the owner sets: plain JSON. */
    readonly kubeProxy?: Values;
    readonly apiServer?: ApiServerSettings;
    /** The etcd that others run; absent where each control plane has a member of its own. */
    readonly externalEtcd?: ExternalEtcd;
  };
  /** The DNS domain of Services, `cluster.local`. */
  readonly domain: string;
  readonly network: ClusterNetwork;
  /** Where clients reach the API: a name or an address, and the port. */
  readonly endpoint: Endpoint;
  /** Resolvers that CoreDNS forwards to; empty: the host's own /etc/resolv.conf. */
  readonly upstreams: readonly string[];
  /** The DNS zone that hosts with the role `dns` answer for. */
  readonly zone?: string;
  /** Whether every host asks the `dns` hosts. */
  readonly hostsUseDns: boolean;
  /** Names of the zone besides those of hosts and the API, as the inventory has them; `recordsOf` resolves them. */
  readonly records: readonly RecordRule[];
  /** Ports that the load balancers pass on, as the inventory has them; `forwardsOf` resolves their targets. */
  readonly forwards: readonly ForwardRule[];
  readonly artifacts: ArtifactSource;
  /** How containerd reaches registries, in the order of the inventory. */
  readonly registries?: readonly RegistryRule[];
  readonly proxy?: PullProxy;
  /** In the order of the inventory; none where absent. */
  readonly addons?: readonly Addon[];
  /** In the order of the inventory. */
  readonly hosts: readonly ClusterHost[];
  /** Of every host, by host name. Computed once from `network` and `hosts`: a cluster with other hosts needs others. */
  readonly routes: RoutesByHost;
  /** The name of the control plane that kbs asks, where that is not the first. */
  readonly apiHost?: string;
}

/** A component whose flags an inventory may set, by the name of its program. */
export type FlaggedComponent = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler';

/** An etcd outside of the cluster, and what API servers show to it. */
export interface ExternalEtcd {
  /** https addresses with ports. */
  readonly endpoints: readonly string[];
  /** PEM certificates of the authorities of its members. */
  readonly ca: string;
  /** PEM: the client's certificate, with those between it and its authority. */
  readonly certificate: string;
}

/** What API servers read and write of the owner's; kbs's own where absent. */
export interface ApiServerSettings {
  /** A Policy of audit.k8s.io, and what becomes of old logs: days, files and megabytes. */
  readonly audit?: {
    readonly policy?: Values;
    readonly maxAge?: number;
    readonly maxBackups?: number;
    readonly maxSize?: number;
  };
  /** An AdmissionConfiguration. */
  readonly admission?: Values;
  /** An AuthenticationConfiguration that says nothing of anonymous requests. */
  readonly authentication?: Values;
}

export interface RegistryRule {
  /** What stands before the first slash of images, `docker.io` or `mirror.lan:5000`; `*`: every registry that is not named. */
  readonly name: string;
  /** http or https addresses. */
  readonly mirrors: readonly string[];
  readonly plainHttp: boolean;
  /** PEM certificates of its authorities, in place of the host's. */
  readonly ca?: string;
  /** How containerd logs in there; a mirror has those of the registry of its own name. */
  readonly auth?: RegistryAuth;
}

/** Where the password is, on the operator's machine: an absolute path, or a variable of the environment. */
export interface RegistryAuth {
  readonly username: string;
  readonly password: { readonly file: string } | { readonly variable: string };
}

/** Through which containerd pulls images, and hosts download what they download themselves. */
export interface PullProxy {
  readonly url: string;
  /** Names, domains, addresses and CIDRs that are reached without it; those of the cluster come first. */
  readonly exclude: readonly string[];
}

/** What the inventory says of an add-on. */
export type Addon =
  | MetricsServerAddon
  | StorageAddon
  | NfsStorageAddon
  | LoadBalancerServicesAddon
  | IngressAddon
  | CertManagerAddon
  | DashboardAddon
  | RancherAddon
  | MonitoringAddon
  | OwnAddon;

interface AddonSettings {
  readonly name: string;
  /** The owner's choice; what kbs has for the add-on where it is absent. */
  readonly chart?: ChartSource;
  /** Of the chart, as the owner wrote them: plain JSON. */
  readonly values: Values;
  /** Whether a release of this name that was installed without kbs is taken over. */
  readonly adopt: boolean;
  /** How long its pods may take to become ready. */
  readonly timeoutSeconds: number;
}

/** Where a chart is: a folder or an archive of this machine by its absolute path, or a version in a repository. */
export type ChartSource = { readonly path: string } | PublishedChart;

/** A version of a chart, as helm finds it by `--repo`, name and `--version`. */
export interface PublishedChart {
  /** What holds `index.yaml`, `https://example.com/charts`, or what the name follows in an OCI registry, `oci://example.com/charts`. */
  readonly repository: string;
  readonly name: string;
  readonly version: string;
  /** Hex digest that its archive must have. */
  readonly sha256?: string;
}

/** JSON, in which a text may be a Secret. */
export type Values = Readonly<Record<string, unknown>>;

export interface MetricsServerAddon extends AddonSettings {
  readonly is: 'metrics-server';
}

export interface StorageAddon extends AddonSettings {
  readonly is: 'storage';
  /** The folder for volumes on every node. */
  readonly path: string;
  readonly reclaim: 'Delete' | 'Retain';
  /** Whether claims that name no class get this one. */
  readonly isDefault: boolean;
}

export interface NfsStorageAddon extends AddonSettings {
  readonly is: 'nfs-storage';
  /** A DNS name or an address. */
  readonly server: string;
  /** The folder that the server exports. */
  readonly path: string;
  readonly reclaim: 'Delete' | 'Retain';
  /** Whether claims that name no class get this one. */
  readonly isDefault: boolean;
}

export interface LoadBalancerServicesAddon extends AddonSettings {
  readonly is: 'load-balancer-services';
  /** At least one, each of a segment of its own, in the order of the inventory. */
  readonly pools: readonly AddressPool[];
}

export interface IngressAddon extends AddonSettings {
  readonly is: 'ingress';
}

export interface CertManagerAddon extends AddonSettings {
  readonly is: 'cert-manager';
  /** An authority of the internet that certifies by ACME; absent: none. */
  readonly acme?: { readonly email: string; readonly server: string };
}

export interface DashboardAddon extends AddonSettings {
  readonly is: 'dashboard';
  /** The name that an Ingress answers to; absent: no Ingress. */
  readonly host?: string;
}

export interface RancherAddon extends AddonSettings {
  readonly is: 'rancher';
  /** The name that its Ingress answers to, and that its agents ask for. */
  readonly host: string;
  /** How many pods of it run. */
  readonly replicas: number;
}

export interface MonitoringAddon extends AddonSettings {
  readonly is: 'monitoring';
  /** How long Prometheus keeps what it has measured, as it takes it: `14d`. */
  readonly retention: string;
  /** The name that an Ingress of Grafana answers to; absent: no Ingress. */
  readonly host?: string;
  /** `bundle`: images that the bundle has, without Grafana; `registries`: those that the chart names. */
  readonly images: 'registries' | 'bundle';
}

/** Addresses of one segment for Services of type LoadBalancer. */
export interface AddressPool {
  readonly segment: string;
  /** As the inventory has them: `FIRST-LAST` or CIDRs. */
  readonly ranges: readonly string[];
}

/** A chart of the owner. */
export interface OwnAddon extends AddonSettings {
  readonly is: 'own';
  readonly chart: ChartSource;
  readonly namespace: string;
}

export interface ClusterNetwork {
  readonly pods: string;
  readonly services: string;
  /** The first address of `services`: the Service `kubernetes`. */
  readonly apiServiceAddress: string;
  /** The tenth address of `services`: the Service `kube-dns`. */
  readonly dnsServiceAddress: string;
  readonly segments: readonly Segment[];
  /** The second family; absent in a cluster of IPv4 alone. */
  readonly ipv6?: Pick<ClusterNetwork, 'pods' | 'services' | 'apiServiceAddress' | 'dnsServiceAddress'>;
}

/** One L2 network. */
export interface Segment {
  readonly name: string;
  readonly cidr: string;
  /** Absent where the inventory has one segment and needs no router. */
  readonly gateway?: string;
  /** The one aligned prefix of the pod network that this segment's hosts are carved from. */
  readonly podCidr: string;
  /** How many hosts that prefix has room for. */
  readonly capacity: number;
  /** Bytes, of the pods' interfaces; absent: the kernel's default, 1500. */
  readonly mtu?: number;
  /** In a cluster of both families. */
  readonly ipv6?: Pick<Segment, 'cidr' | 'gateway' | 'podCidr'>;
}

/** A route as a kernel holds it. */
export interface KernelRoute {
  /** CIDR. */
  readonly to: string;
  /** An address that is on-link. */
  readonly via: string;
  /** A comment for people: the pods behind this route. */
  readonly why: string;
}

export type RoutesByHost = Readonly<Record<string, readonly KernelRoute[]>>;

export interface Endpoint {
  /** The host in kubeconfigs: the DNS name, else the virtual address, else the first control plane's address. */
  readonly host: string;
  readonly port: number;
  readonly name?: string;
  readonly vip?: string;
  /** The address of `host`: the virtual address, else the one load balancer or control plane; absent if external. */
  readonly address?: string;
  /** A load balancer outside the cluster serves the endpoint, and kbs installs none. */
  readonly external?: boolean;
  /** The load balancers pass 80 and 443 on to the ingress controller. */
  readonly ingress?: true;
  /** The VRRP virtual router id, 1 to 255; chosen by kbs where absent. */
  readonly routerId?: number;
  /** Names and addresses that the API server's certificate holds besides those that follow from the cluster. */
  readonly extraNames?: readonly string[];
}

export interface RecordRule {
  /** Relative to the zone: `grafana`, or `*.apps` for every name below `apps`. */
  readonly name: string;
  /** `VIP`, the address of the endpoint; an address; or the name of a host. */
  readonly value: string;
}

export interface ForwardRule {
  /** The TCP port on the load balancers. */
  readonly port: number;
  /** Role words of `targetWords` and names of hosts. */
  readonly to: readonly string[];
  /** The TCP port on the targets. */
  readonly targetPort: number;
  /** Whether targets are told the address of the client first, by PROXY protocol version 2. */
  readonly proxyProtocol: boolean;
}

export type Role = 'control-plane' | 'worker' | 'load-balancer' | 'dns' | 'router';

export interface ClusterHost {
  readonly name: string;
  /** The address that this host is known by in its segment: the kubelet's --node-ip, and where SSH goes. */
  readonly address: string;
  readonly roles: readonly Role[];
  readonly segment: string;
  /** A router's address in each of its segments, by segment name; empty for every other host. */
  readonly addresses: Readonly<Record<string, string>>;
  /** For hosts that run a kubelet: workers, and control planes whose components are static pods. */
  readonly podCidr?: string;
  /** In a cluster of both families; nodes and control planes have it, others perhaps. */
  readonly ipv6?: Pick<ClusterHost, 'address' | 'addresses' | 'podCidr'>;
  /** The machine that this one is a guest of, and fails with. */
  readonly hypervisor?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `key=value:Effect` or `key:Effect`. */
  readonly taints: readonly string[];
  /** The maker of the GPUs that pods may ask for. */
  readonly gpu?: 'nvidia' | 'amd';
  /** How many the inventory says the host has. */
  readonly gpuCount?: number;
  /** How the GPUs are used; present with `gpu: nvidia`. */
  readonly nvidia?: NvidiaSettings;
  /** The inventory says `gpu: none`: GPUs that the machine has are not proposed. */
  readonly ignoresGpus?: true;
  /** How a lab plays this host; absent: as a container. */
  readonly lab?: LabMachine;
  /** Swap of the host stays on, and pods get this much of it, in the kubelet's words; absent: kbs switches it off. */
  readonly swap?: 'NoSwap' | 'LimitedSwap';
  /**
   * Where OS packages may come from: the bundle alone, the host's own package sources alone, or nowhere, as its owner
   * installs them. Absent: from the host's own sources, else from the bundle.
   */
  readonly packages?: 'bundle' | 'host' | 'none';
  /** DNS names or addresses of the time servers that its clock is kept in step with; absent: its clock is left alone. */
  readonly timeServers?: readonly string[];
  /** Fields of its KubeletConfiguration that the owner sets: plain JSON. */
  readonly kubelet?: Values;
  readonly ssh: SshSettings;
}

export interface NvidiaSettings {
  /** `host`: the driver that is there; `distribution`: packages of the distribution where there is none. */
  readonly driver: 'host' | 'distribution';
  /** How many pods share one GPU by taking turns; absent: each has its GPU for itself. */
  readonly timeSlicing?: number;
  /** How instances of partitioned GPUs (MIG) are offered; absent: the inventory has not chosen. */
  readonly mig?: 'none' | 'single' | 'mixed';
}

/** What an inventory says of a host for labs alone; the lab has the defaults. */
export interface LabMachine {
  readonly platform?: 'container' | 'vm';
  readonly image?: 'debian-13' | 'debian-12' | 'debian-13-arm64';
  /** MiB. */
  readonly memory?: number;
  readonly cpus?: number;
}

export interface SshSettings extends SshLogin {
  /** `ssh`: by kbs's own SSH; `openssh`: by the ssh of the operator's machine; `local`: this machine, without SSH. */
  readonly transport: 'ssh' | 'openssh' | 'local';
  /** How a user that is not root becomes root; of no account for root. */
  readonly become: 'none' | 'sudo' | 'doas';
  /** The jump hosts on the way, the first one first; absent: none. */
  readonly jump?: readonly SshLogin[];
  /** What the inventory leaves to ssh's own configuration; absent where that is to be ignored. */
  readonly open?: readonly ('user' | 'port' | 'key' | 'knownHosts' | 'jump' | 'timeout')[];
}

/** How to log in to one machine. */
export interface SshLogin {
  readonly address: string;
  /** What ssh is given in place of the address, where its configuration says more under another name. */
  readonly destination?: string;
  readonly port: number;
  readonly user: string;
  /** Paths of private keys, absolute. */
  readonly keys: readonly string[];
  /** Log in with a password where a host takes no key, or wants more than one. */
  readonly password?: 'ask';
  /** Path of the known_hosts file, absolute. */
  readonly knownHosts: string;
  /** Seconds for the connection, and as many again for the login; 10 when absent. */
  readonly timeout?: number;
  /** Other known_hosts files, which are read and never written. */
  readonly moreKnownHosts?: readonly string[];
  /** The name under which the host's key is known, in place of its address. */
  readonly hostKeyAlias?: string;
  /** Path of an agent's socket, in place of SSH_AUTH_SOCK. */
  readonly agent?: string;
  /** Offers no key of the agent that is not named. */
  readonly onlyKeys?: true;
}

export const isControlPlane = (host: ClusterHost): boolean => host.roles.includes('control-plane');
export const isWorker = (host: ClusterHost): boolean => host.roles.includes('worker');
export const isRouter = (host: ClusterHost): boolean => host.roles.includes('router');
export const isLoadBalancer = (host: ClusterHost): boolean => host.roles.includes('load-balancer');
export const isDns = (host: ClusterHost): boolean => host.roles.includes('dns');
/** Whether a kubelet runs there. */
export const isNode = (host: ClusterHost): boolean => host.podCidr !== undefined;
/** A node whose NVIDIA GPUs pods may ask for. */
export const isNvidiaNode = (host: ClusterHost): boolean => isNode(host) && host.gpu === 'nvidia';

export const controlPlanes = (cluster: Cluster): readonly ClusterHost[] => cluster.hosts.filter(isControlPlane);
export const nodes = (cluster: Cluster): readonly ClusterHost[] => cluster.hosts.filter(isNode);
export const loadBalancers = ({ hosts }: Pick<Cluster, 'hosts'>): readonly ClusterHost[] =>
  hosts.filter(isLoadBalancer);
export const dnsServers = (cluster: Cluster): readonly ClusterHost[] => cluster.hosts.filter(isDns);

/** All addresses of pods or Services, one network for each family; IPv4 first, as Kubernetes takes the first for the primary. */
export const networksOf = ({ network }: Pick<Cluster, 'network'>, which: 'pods' | 'services'): readonly string[] => [
  network[which],
  ...(network.ipv6 === undefined ? [] : [network.ipv6[which]]),
];

/** Whether nodes answer on the LAN for addresses of Services. */
export const announcesServices = ({ addons = [] }: Pick<Cluster, 'addons'>): boolean =>
  addons.some(({ is }) => is === 'load-balancer-services');

/** Whether an ingress controller runs on the workers. */
export const hasIngress = ({ addons = [] }: Pick<Cluster, 'addons'>): boolean =>
  addons.some(({ is }) => is === 'ingress');

/** Whether something in the cluster certifies names of the LAN. */
export const certifiesNames = ({ addons = [] }: Pick<Cluster, 'addons'>): boolean =>
  addons.some(({ is }) => is === 'ingress' || is === 'cert-manager');

/** Whether Prometheus runs, and reads metrics of the hosts. */
export const isMonitored = ({ addons = [] }: Pick<Cluster, 'addons'>): boolean =>
  addons.some(({ is }) => is === 'monitoring');

/** The control plane on which kbs runs kubectl: the first, unless `apiHost` names another one. */
export const isApiHost = (host: ClusterHost, cluster: Cluster): boolean =>
  cluster.apiHost === undefined ? controlPlanes(cluster)[0] === host : cluster.apiHost === host.name;

/** Whether a host has a member of etcd. */
export const hasEtcdMember = (host: ClusterHost, { kubernetes }: Pick<Cluster, 'kubernetes'>): boolean =>
  isControlPlane(host) && kubernetes.externalEtcd === undefined;

/** How many of so many etcd members must agree. */
export const majority = (members: number): number => Math.floor(members / 2) + 1;

/** The port of API servers on their own hosts; clients use the endpoint's port, which may be another one. */
export const apiServerPort = 6443;

/** The port where haproxy answers over HTTP whether it reaches an API server, on 127.0.0.1 and the host's address. */
export const balancerHealthPort = 8404;

/**
 * Ports of the ingress controller: for clients, and as NodePorts, by which the load balancers reach it. From 30000 to
 * 30085 are the NodePorts that the API server gives to Services last.
 */
export const ingressPorts = [
  { port: 80, nodePort: 30080 },
  { port: 443, nodePort: 30043 },
] as const;

/** Ports of kube-proxy on every node. */
export const proxyPorts = { health: 10256, metrics: 10249 } as const;
