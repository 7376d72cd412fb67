import { sh } from '../shell.js';

/** What a cluster that kbs did not make has left on a host, by its files, mounts, links and rules. Paths are absolute. */
export interface Remains {
  /** The clusters that the records of kbs on the host name; none where kbs has nothing there. */
  readonly recorded: readonly string[];
  /** Of the programs that end a cluster or its pods, those that are there, by name with their paths. */
  readonly programs: ReadonlyMap<string, string>;
  /** Tools with files of their own there, whether they run or not. */
  readonly tools: readonly string[];
  /** What the unit of a kubelet consists of: the unit itself and its drop-ins. */
  readonly units: readonly string[];
  readonly packages: readonly { readonly manager: 'apt' | 'rpm'; readonly name: string }[];
  /** Whether processes or containers of pods are there. */
  readonly pods: boolean;
  /** Whether systemd holds their control groups. */
  readonly podSlice: boolean;
  /** Sockets of container runtimes. */
  readonly sockets: readonly string[];
  /** Mount points at and below /var/lib/kubelet and /var/lib/etcd, in the order in which they were mounted. */
  readonly mounts: readonly string[];
  /** Files and folders that kubeadm, a kubelet, etcd or a network plugin keeps. */
  readonly paths: readonly string[];
  /** Names of files in /etc/cni/net.d. */
  readonly cniFiles: readonly string[];
  readonly links: readonly string[];
  /** Tables of iptables with chains of Kubernetes or of a network plugin, and the command that edits them. */
  readonly chains: readonly { readonly command: string; readonly table: string }[];
  /** Whole tables of nftables: `ip kube-proxy`. */
  readonly tables: readonly string[];
}

/** Prints lines of `remains KEY VALUE`, and changes nothing. Runs alone. */
export const remainsScript = sh`
remains() { if [ -n "$2" ]; then printf 'remains %s %s\\n' "$1" "$2"; fi; }
sed -n 's/.*"cluster":"\\([^"]*\\)".*/\\1/p' /var/lib/kbs/resources 2>/dev/null | sort -u |
  while read -r cluster; do remains recorded "$cluster"; done
for program in kubeadm crictl ctr k3s-uninstall.sh k3s-agent-uninstall.sh rke2-uninstall.sh k0s snap; do
  for folder in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /opt/rke2/bin /snap/bin; do
    if [ -x $folder/$program ]; then remains program "$program $folder/$program"; break; fi
  done
done
while read -r tool path; do
  if [ -e "$path" ]; then remains tool $tool; fi
done <<'END'
k3s /var/lib/rancher/k3s/server
k3s-agent /var/lib/rancher/k3s/agent/kubelet.kubeconfig
rke2 /var/lib/rancher/rke2
k0s /var/lib/k0s
microk8s /var/snap/microk8s
END
for folder in /etc /run /usr/local/lib /usr/lib /lib; do
  # Where /lib is a link, its units have been seen.
  if [ $folder = /lib ] && [ -L /lib ]; then continue; fi
  for unit in $folder/systemd/system/kubelet.service $folder/systemd/system/kubelet.service.d/*.conf; do
    if [ ! -e "$unit" ]; then continue; fi
    remains unit "$unit"
    { dpkg -S "$unit" "\${unit#/usr}" 2>/dev/null || :; } | sed -n 's/^\\([a-z0-9.+-]*\\)[:,].*/apt \\1/p'
    { rpm -qf --qf 'rpm %{NAME}\\n' "$unit" 2>/dev/null || :; } | sed -n '/^rpm [A-Za-z0-9._+-]*$/p'
  done
done | sort -u | while read -r line; do
  case $line in remains*) printf '%s\\n' "$line" ;; *) remains package "$line" ;; esac
done
for group in /sys/fs/cgroup/kubepods* /sys/fs/cgroup/systemd/kubepods* /run/containerd/io.containerd.runtime.v2.task/k8s.io/*; do
  if [ -e "$group" ]; then remains pods yes; break; fi
done
if systemctl -q is-active kubepods.slice 2>/dev/null; then remains podslice yes; fi
for socket in /run/containerd/containerd.sock /run/crio/crio.sock; do
  if [ -S $socket ]; then remains socket $socket; fi
done
awk '$5 ~ "^/var/lib/(kubelet|etcd)(/|$)" { print "remains mount " $5 }' /proc/self/mountinfo
for path in /etc/kubernetes/manifests /etc/kubernetes/pki /etc/kubernetes/tmp /etc/kubernetes/*.conf \
  /var/lib/kubelet /var/lib/etcd/member /var/lib/kube-proxy \
  /run/flannel /var/lib/cni/flannel /var/lib/cni/networks/cbr0 /run/calico /var/lib/calico /run/cilium /var/lib/weave; do
  # Empty folders are what is left where kbs or a tool has been.
  if [ -d "$path" ] && [ -z "$(find "$path" -mindepth 1 -maxdepth 1 2>/dev/null | head -n 1)" ]; then continue; fi
  if [ -e "$path" ]; then remains path "$path"; fi
done
for file in /etc/cni/net.d/*; do
  if [ -f "$file" ]; then remains cni "\${file##*/}"; fi
done
ip -o link show 2>/dev/null | sed -n 's/^[0-9]*: \\([^:@]*\\)[:@].*/\\1/p' |
  grep -E '^(cni0|flannel[.-].*|vxlan[.]calico|cilium_(host|vxlan|geneve)|weave|kube-bridge|kube-ipvs0|nodelocaldns|antrea-gw.*|ovn-k8s-.*)$' |
  while read -r link; do remains link "$link"; done || :
commands='iptables ip6tables'
case $(iptables -V 2>/dev/null || :) in *nf_tables*) commands="$commands iptables-legacy ip6tables-legacy" ;; esac
for command in $commands; do
  $command-save 2>/dev/null | sed -n -E 's/^[*](.*)/table \\1/p; s/^:(KUBE-|FLANNEL-|cali-|CILIUM_).*/chain/p' |
    while read -r what name; do
      if [ $what = table ]; then table=$name; else remains chains "$command $table"; fi
    done | sort -u
done
nft list tables 2>/dev/null |
  sed -n -E 's/^table ((ip|ip6|inet) (kube-proxy|flannel-ipv4|flannel-ipv6|calico))$/remains table \\1/p' || :
`;

/** Reads what `remainsScript` printed. */
export const parseRemains = (output: string): Remains => {
  const lines = output.split('\n').flatMap((line) => {
    const [, key, value] = /^remains (\w+) (.+)$/.exec(line) ?? [];
    return key === undefined || value === undefined ? [] : [[key, value] as const];
  });
  const all = (key: string) => lines.filter(([name]) => name === key).map(([, value]) => value);
  const pairs = (key: string) => all(key).map((value) => pair(value));
  return {
    recorded: all('recorded'),
    programs: new Map(pairs('program')),
    tools: all('tool'),
    units: all('unit'),
    packages: pairs('package').map(([manager, name]) => ({ manager: manager === 'apt' ? 'apt' : 'rpm', name })),
    pods: all('pods').length > 0,
    podSlice: all('podslice').length > 0,
    sockets: all('socket'),
    mounts: all('mount').map(unescaped),
    paths: all('path'),
    cniFiles: all('cni'),
    links: all('link'),
    chains: pairs('chains').map(([command, table]) => ({ command, table })),
    tables: all('table'),
  };
};

const pair = (value: string): readonly [string, string] => {
  const at = value.indexOf(' ');
  return at < 0 ? [value, ''] : [value.slice(0, at), value.slice(at + 1)];
};

/** The kernel writes space, tab, newline and backslash of a path as three octal digits (proc_pid_mountinfo(5)). */
const unescaped = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
