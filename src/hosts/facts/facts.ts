import { defined } from '../../defined.js';
import { type GpuFacts, noGpuFacts, parseGpuFacts } from './gpu.js';
import { type Ipv6Facts, parseIpv6 } from './ipv6.js';
import { splitOnce } from './lines.js';
import { linkAddresses } from './link-address.js';
import { type Machine, parseMachine } from './machine.js';
import type { NetworkFacts } from './network.js';
import { type LiveRoute, liveRoute } from './route.js';
import { parseSystem, type System } from './system.js';

export { containerdFolder, nvidiaLibraries, nvidiaLibrariesBehindLinks, programFolders } from './folders.js';
export type { GpuDevice, GpuFacts, NvidiaFacts } from './gpu.js';
export type { Ipv6Facts } from './ipv6.js';
export { splitOnce } from './lines.js';
export type { HostsLine, Link, NetworkFacts, Path, ResolvedName, RoutingRule } from './network.js';
export type { Remains } from './remains.js';
export type { LiveRoute } from './route.js';
export type { Mount, System } from './system.js';
export type { TimeDaemon } from './time-daemon.js';

/** What `factsScript` reads on a host, once per run in the same round trip as all other queries. */
export interface Facts {
  readonly hostname: string;
  /** The processor's architecture as `uname -m` prints it; empty where that is not known. */
  readonly arch: string;
  /** What a board of a single design calls itself, as `Raspberry Pi 5 Model B Rev 1.0`; empty for other machines. */
  readonly model: string;
  readonly os: string;
  readonly kernel: string;
  /** Whole seconds since the epoch, by the host's own clock. */
  readonly clock: number;
  /** 0: commands ran as root. */
  readonly uid: number;
  readonly systemd: boolean;
  readonly cgroup: 'v1' | 'v2';
  /** Control group controllers that this kernel has switched on. */
  readonly controllers: readonly string[];
  readonly cpus: number;
  /** KiB. */
  readonly memory: number;
  readonly virtualization: string;
  /** Whether a process there may lower its oom_score_adj (CAP_SYS_RESOURCE). */
  readonly oomAdjustable: boolean;
  /** Whether conntrack's limits can be set; not so inside a network namespace. */
  readonly conntrackWritable: boolean;
  /** Kernel features by name, as probed. */
  readonly features: readonly string[];
  readonly tools: readonly string[];
  /** Global ones of IPv4, `address/prefix`. */
  readonly addresses: readonly string[];
  /** Of the main table. */
  readonly routes: readonly LiveRoute[];
  /** Absent where the host was not observed. */
  readonly ipv6?: Ipv6Facts;
  /** Swap devices and files in use. */
  readonly swaps: readonly string[];
  /** Name servers of the file that pods inherit; loopback ones left out. */
  readonly nameservers: readonly string[];
  /** Name servers of that file that pods cannot ask: on loopback, or of IPv6, which not all pods have. */
  readonly hostOnlyNameservers: readonly string[];
  /** The resolv.conf that is free of a local stub. */
  readonly resolvConf: string;
  /** The program that writes /etc/resolv.conf: `file` for none, `resolved`, `NetworkManager`, else its name. */
  readonly resolver: string;
  /** Search domains and options of /etc/resolv.conf. */
  readonly searchDomains: readonly string[];
  readonly resolverOptions: readonly string[];
  /** Programs that listen on port 53 by UDP or TCP, and their addresses; `0.0.0.0`, `*` or `[::]` is every one. */
  readonly nameServices: readonly NameService[];
  readonly networkDaemons: readonly ('networkd' | 'NetworkManager')[];
  readonly listeners: readonly Listener[];
  /** Chains of the host's firewall that let through only what a rule accepts. */
  readonly firewalls: readonly Firewall[];
  /** The names of the files in /etc/cni/net.d that containerd would read. */
  readonly cniConfigs: readonly string[];
  /** Paths of the drop-ins in effect that say what a service starts. */
  readonly commandDropIns: readonly string[];
  /** Paths of the files in effect that add to the settings of kubelet.service and containerd, besides kbs's own. */
  readonly dropIns: readonly string[];
  readonly machineId: string;
  /** What sort of machine it is; absent where the host was not observed. */
  readonly machine?: Machine;
  /** Absent where the host was not observed. */
  readonly system?: System;
  /** Whether etcd data lies there: it is, or was, a member of a cluster. */
  readonly etcdMember: boolean;
  /** Whether kbs has installed what starts etcd there. */
  readonly etcdInstalled: boolean;
  /** The endpoints of etcd that kbs has the API server there use; none where it has installed none. */
  readonly etcdServers: readonly string[];
  readonly gpu: GpuFacts;
  /** Absent where the host was not observed. */
  readonly network?: NetworkFacts;
  /**
   * The cluster that the host belongs to: the SHA-256 fingerprint of its cluster CA's certificate, in 64 lower-case hex
   * digits. Absent where the host has none; `unreadableCa` where it has one that cannot be read.
   */
  readonly clusterCa?: string;
}

/** Stands for a fingerprint where a host's CA cannot be read, so that nothing can be said about its cluster. */
export const unreadableCa = 'unreadable';

export interface Listener {
  readonly port: number;
  readonly process: string;
}

export interface Firewall {
  readonly hook: 'forward' | 'input';
  /** `ip filter`, as nft names it; `iptables-legacy filter` in the kernel's older tables. */
  readonly table: string;
  readonly chain: string;
  /** Of all chains of the table, those that accept or lead to another chain. */
  readonly rules: readonly FirewallRule[];
}

export interface FirewallRule {
  readonly chain: string;
  /** As nft or iptables-save prints it, without its chain. */
  readonly text: string;
}

export interface NameService {
  readonly address: string;
  readonly process: string;
}

/**
 * What kbs assumes of a host that it has not observed: a current Linux machine, with etcd data, so that no second etcd
 * cluster is bootstrapped beside a first one. `render` uses this.
 */
export const assumedFacts: Facts = {
  hostname: '',
  arch: '',
  model: '',
  os: 'unknown',
  kernel: 'unknown',
  clock: 0,
  uid: 0,
  systemd: true,
  cgroup: 'v2',
  controllers: ['cpu', 'memory', 'pids'],
  cpus: 2,
  memory: 4 * 1024 * 1024,
  virtualization: 'none',
  oomAdjustable: true,
  conntrackWritable: true,
  features: [],
  tools: [],
  addresses: [],
  routes: [],
  swaps: [],
  nameservers: [],
  hostOnlyNameservers: [],
  resolvConf: '/etc/resolv.conf',
  resolver: 'file',
  searchDomains: [],
  resolverOptions: [],
  nameServices: [],
  networkDaemons: [],
  listeners: [],
  firewalls: [],
  cniConfigs: [],
  commandDropIns: [],
  dropIns: [],
  machineId: '',
  etcdMember: true,
  etcdInstalled: false,
  etcdServers: [],
  gpu: noGpuFacts,
};

/** Reads the output of `factsScript`. */
export const parseFacts = (output: string): Facts => {
  const lines = output.split('\n').filter(Boolean).map(splitOnce);
  const all = (key: string) => lines.filter(([name]) => name === key).map(([, value]) => value);
  const one = (key: string) => all(key)[0] ?? '';
  return {
    hostname: one('hostname'),
    arch: one('arch'),
    model: one('model'),
    os: one('os'),
    kernel: one('kernel'),
    clock: Number(one('clock')),
    uid: Number(one('uid')),
    systemd: one('systemd') === 'yes',
    cgroup: one('cgroup') === 'v2' ? 'v2' : 'v1',
    controllers: all('controller'),
    cpus: Number(one('cpus')),
    memory: Number(one('memory')),
    virtualization: one('virtualization') || 'none',
    oomAdjustable: one('oom') === 'yes',
    conntrackWritable: one('conntrack') === 'yes',
    features: all('feature'),
    tools: all('tool'),
    addresses: linkAddresses(output).flatMap(({ address, scope }) => (scope === 'global' ? [address] : [])),
    routes: all('route').flatMap(liveRoute),
    swaps: all('swap'),
    nameservers: all('nameserver').filter((address) => !isLoopback(address)),
    hostOnlyNameservers: all('nameserver').filter((address) => isLoopback(address) || address.includes(':')),
    resolvConf: one('resolvconf') || '/etc/resolv.conf',
    resolver: one('resolver') || 'file',
    searchDomains: all('search').flatMap(words),
    resolverOptions: all('resolveroptions').flatMap(words),
    nameServices: all('nameservice').map(nameService),
    networkDaemons: all('networkdaemon').filter((daemon) => daemon === 'networkd' || daemon === 'NetworkManager'),
    listeners: all('listener').map(listener),
    firewalls: all('firewall').map((value) => firewall(value, all('firewallrule'))),
    cniConfigs: all('cniconfig'),
    commandDropIns: all('commanddropin'),
    dropIns: all('dropin'),
    machineId: one('machineid'),
    ...defined({ ipv6: parseIpv6(all), machine: parseMachine(output), system: parseSystem(output) }),
    etcdMember: one('etcdmember') === 'yes',
    etcdInstalled: one('etcdinstalled') === 'yes',
    etcdServers: one('etcdservers').split(',').filter(Boolean),
    gpu: parseGpuFacts(all),
    ...(all('clusterca').length === 0 ? {} : { clusterCa: one('clusterca') || unreadableCa }),
  };
};

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';

const words = (line: string): readonly string[] => line.split(/\s+/).filter(Boolean);

/** `127.0.0.53%lo users:(("systemd-resolve",pid=1,fd=3))`. */
const nameService = (value: string): NameService => {
  const [address, users] = splitOnce(value);
  return { address: address.replace(/%.*/, ''), process: processOf(users) };
};

const processOf = (users: string): string => /"([^"]+)"/.exec(users)?.[1] ?? '';

/** One listener of `ss -p`: `6443 users:(("kube-apiserver",pid=1,fd=3))`. */
const listener = (value: string): Listener => {
  const [port, users = ''] = splitOnce(value);
  return { port: Number(port), process: processOf(users) };
};

/** `forward ip filter FORWARD`, and the rules `ip filter FORWARD counter packets 0 bytes 0 accept` of its table. */
const firewall = (value: string, rules: readonly string[]): Firewall => {
  const [hook, family = '', name = '', chain = ''] = value.split(' ');
  const table = `${family} ${name}`;
  return {
    hook: hook === 'input' ? hook : 'forward',
    table,
    chain,
    rules: rules
      .filter((rule) => rule.startsWith(`${table} `))
      .map((rule) => splitOnce(rule.slice(table.length + 1)))
      .map(([of, text]) => ({ chain: of, text })),
  };
};
