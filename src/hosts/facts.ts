/** What a host says of itself, read once per run in the same round trip as everything else. */
export interface Facts {
  readonly hostname: string;
  readonly arch: string;
  readonly os: string;
  readonly kernel: string;
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
  /** `address/prefix`. */
  readonly addresses: readonly string[];
  readonly routes: readonly LiveRoute[];
  /** Swap devices and files in use. */
  readonly swaps: readonly string[];
  /** Name servers of the file that pods inherit; loopback ones left out. */
  readonly nameservers: readonly string[];
  /** The resolv.conf that is free of a local stub. */
  readonly resolvConf: string;
  /** Who writes /etc/resolv.conf: `file` where nobody does, `resolved`, `NetworkManager`, else the name of who does. */
  readonly resolver: string;
  /** Search domains and options of /etc/resolv.conf. */
  readonly searchDomains: readonly string[];
  readonly resolverOptions: readonly string[];
  /** Who listens on port 53 by UDP or TCP, and at which address; `0.0.0.0`, `*` or `[::]` is every one. */
  readonly nameServices: readonly NameService[];
  readonly networkDaemons: readonly ('networkd' | 'NetworkManager')[];
  readonly listeners: readonly Listener[];
  readonly machineId: string;
  /** Whether etcd data lies there: it is, or was, a member of a cluster. */
  readonly etcdMember: boolean;
}

export interface LiveRoute {
  readonly to: string;
  readonly device: string;
  readonly via?: string;
}

export interface Listener {
  readonly port: number;
  readonly process: string;
}

export interface NameService {
  readonly address: string;
  readonly process: string;
}

/**
 * What kbs assumes of a host that it has not seen: a current Linux machine. Nobody founds a second etcd where somebody
 * may hold the first. `render` uses this.
 */
export const assumedFacts: Facts = {
  hostname: '',
  arch: 'x86_64',
  os: 'unknown',
  kernel: 'unknown',
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
  resolvConf: '/etc/resolv.conf',
  resolver: 'file',
  searchDomains: [],
  resolverOptions: [],
  nameServices: [],
  networkDaemons: [],
  listeners: [],
  machineId: '',
  etcdMember: true,
};

/** Prints one `key value` line per fact. Bit 24 of CapEff is CAP_SYS_RESOURCE (capabilities(7)). */
export const factsScript = `
fact() { printf '%s %s\\n' "$1" "$2"; }
fact hostname "$(cat /proc/sys/kernel/hostname)"
fact arch "$(uname -m)"
fact os "$(. /etc/os-release 2>/dev/null; printf %s "\${PRETTY_NAME:-unknown}")"
fact kernel "$(uname -r)"
fact uid "$(id -u)"
if [ -d /run/systemd/system ]; then fact systemd yes; fi
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  fact cgroup v2
  for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do fact controller $controller; done
else
  fact cgroup v1
  while read -r controller _ _ enabled; do
    if [ "$enabled" = 1 ]; then fact controller $controller; fi
  done < /proc/cgroups
fi
fact cpus "$(grep -c ^processor /proc/cpuinfo)"
fact memory "$(sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)"
fact virtualization "$(systemd-detect-virt 2>/dev/null || :)"
capabilities=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
if [ $(( (0x$capabilities >> 24) & 1 )) = 1 ]; then fact oom yes; fi
limit=/proc/sys/net/netfilter/nf_conntrack_max
if [ ! -e $limit ] || [ -w $limit ]; then fact conntrack yes; fi
builtin=/lib/modules/$(uname -r)/modules.builtin
feature() { # name, then a test; a module that lies ready to be loaded counts
  if eval "$2" || [ -d "/sys/module/$1" ] || grep -q "/$1\\.ko" "$builtin" 2>/dev/null || modprobe -n -q "$1" 2>/dev/null
  then fact feature "$1"; fi
}
feature overlay 'grep -qw overlay /proc/filesystems'
feature br_netfilter '[ -e /proc/sys/net/bridge ]'
feature nf_conntrack '[ -e /proc/sys/net/netfilter ]'
feature nf_tables 'nft list tables >/dev/null 2>&1'
feature ip_tables '[ -e /proc/net/ip_tables_names ]'
feature ip_vs '[ -e /proc/net/ip_vs ]'
for tool in ip nft systemctl sha256sum base64 mount modprobe; do
  if command -v $tool >/dev/null; then fact tool $tool; fi
done
ip -4 -o addr show scope global 2>/dev/null | while read -r _ _ _ address _; do fact address "$address"; done
ip -4 route show table main 2>/dev/null | while read -r route; do fact route "$route"; done
tail -n +2 /proc/swaps | while read -r swap _; do fact swap "$swap"; done
resolv=/etc/resolv.conf
if [ -s /run/systemd/resolve/resolv.conf ]; then resolv=/run/systemd/resolve/resolv.conf; fi
fact resolvconf $resolv
sed -n 's/^nameserver[[:space:]]*\\([^[:space:]]*\\).*/nameserver \\1/p' $resolv 2>/dev/null || :
resolver=$(readlink -f /etc/resolv.conf || :)
case $resolver in
  /run/systemd/resolve/*) resolver=resolved ;;
  /run/NetworkManager/*) resolver=NetworkManager ;;
  */resolvconf/*) resolver=resolvconf ;;
  /etc/resolv.conf)
    resolver=$(sed -n 's/^[#;].*[Gg]enerated by \\([A-Za-z0-9]*\\).*/\\1/p' $resolver 2>/dev/null | head -n 1)
    if [ -z "$resolver" ] && grep -qsx dhclient /proc/[0-9]*/comm; then resolver=dhclient; fi ;;
  *) resolver="a link to $resolver" ;;
esac
fact resolver "\${resolver:-file}"
sed -n 's/^\\(search\\|domain\\)[[:space:]]\\{1,\\}/search /p; s/^options[[:space:]]\\{1,\\}/resolveroptions /p' /etc/resolv.conf 2>/dev/null || :
ss -Hlntup 'sport = :53' 2>/dev/null | while read -r _ _ _ _ local _ process; do
  fact nameservice "\${local%:*} $process"
done
for daemon in systemd-networkd NetworkManager; do
  if systemctl -q is-active $daemon 2>/dev/null; then fact networkdaemon \${daemon#systemd-}; fi
done
ss -Hltnp 2>/dev/null | while read -r _ _ _ local _ process; do fact listener "\${local##*:} $process"; done
fact machineid "$(cat /etc/machine-id 2>/dev/null || :)"
if [ -d /var/lib/etcd/member/wal ]; then fact etcdmember yes; fi
`;

/** Reads the output of `factsScript`. */
export const parseFacts = (output: string): Facts => {
  const lines = output.split('\n').filter(Boolean).map(splitOnce);
  const all = (key: string) => lines.filter(([name]) => name === key).map(([, value]) => value);
  const one = (key: string) => all(key)[0] ?? '';
  return {
    hostname: one('hostname'),
    arch: one('arch'),
    os: one('os'),
    kernel: one('kernel'),
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
    addresses: all('address'),
    routes: all('route').flatMap(liveRoute),
    swaps: all('swap'),
    nameservers: all('nameserver').filter((address) => !address.startsWith('127.') && address !== '::1'),
    resolvConf: one('resolvconf') || '/etc/resolv.conf',
    resolver: one('resolver') || 'file',
    searchDomains: all('search').flatMap(words),
    resolverOptions: all('resolveroptions').flatMap(words),
    nameServices: all('nameservice').map(nameService),
    networkDaemons: all('networkdaemon').filter((daemon) => daemon === 'networkd' || daemon === 'NetworkManager'),
    listeners: all('listener').map(listener),
    machineId: one('machineid'),
    etcdMember: one('etcdmember') === 'yes',
  };
};

/** A line's first word, and the rest. */
export const splitOnce = (line: string): readonly [string, string] => {
  const space = line.indexOf(' ');
  return space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1).trim()];
};

/**
 * One line of `ip route`: `10.0.0.0/8 via 192.168.0.1 dev eth0 …`, or with its type first, `blackhole 10.1.0.0/16`. The
 * further next hops of a multipath route stand on lines of their own and say nothing new.
 */
const liveRoute = (line: string): readonly LiveRoute[] => {
  const words = line.split(' ').filter(Boolean);
  const after = (key: string) => (words.includes(key) ? words[words.indexOf(key) + 1] : undefined);
  const [to = ''] = types.includes(words[0] ?? '') ? words.slice(1) : words;
  if (to !== 'default' && !/^[0-9.]+(\/[0-9]+)?$/.test(to)) return [];
  const via = after('via');
  const route = { to: to.includes('/') || to === 'default' ? to : `${to}/32`, device: after('dev') ?? '' };
  return [via === undefined ? route : { ...route, via }];
};

/** Route types of ip-route(8) that may stand before the prefix. */
const types: readonly string[] = [
  'unicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
  'local',
  'broadcast',
  'multicast',
  'anycast',
];

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
