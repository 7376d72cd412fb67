import { raw, sh } from '../shell.js';
import { gpuFactsScript } from './gpu-script.js';
import { ipv6Script } from './ipv6.js';
import { linkAddressesScript } from './link-address.js';
import { machineScript } from './machine.js';
import { systemScript } from './system.js';

/** Prints one `key value` line per fact. Bit 24 of CapEff is CAP_SYS_RESOURCE (capabilities(7)). */
export const factsScript = sh`
fact() { printf '%s %s\\n' "$1" "$2"; }
fact hostname "$(cat /proc/sys/kernel/hostname)"
fact arch "$(uname -m)"
if [ -r /proc/device-tree/model ]; then fact model "$(tr -d '\\0\\n' < /proc/device-tree/model)"; fi
fact os "$(. /etc/os-release 2>/dev/null; printf %s "\${PRETTY_NAME:-unknown}")"
fact kernel "$(uname -r)"
fact clock "$(date +%s)"
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
feature nf_conntrack '[ -e /proc/sys/net/netfilter/nf_conntrack_max ]'
feature nf_tables 'nft list tables >/dev/null 2>&1'
feature ip_tables '[ -e /proc/net/ip_tables_names ]'
feature ip_vs '[ -e /proc/net/ip_vs ]'
for tool in ip nft systemctl sha256sum base64 mount modprobe; do
  if command -v $tool >/dev/null; then fact tool $tool; fi
done
${raw(linkAddressesScript)}ip -4 route show table main 2>/dev/null | while read -r route; do fact route "$route"; done
${raw(ipv6Script)}tail -n +2 /proc/swaps | while read -r swap _; do fact swap "$swap"; done
resolv=/etc/resolv.conf resolved=/run/systemd/resolve/resolv.conf
# What systemd-resolved knows of counts where the host asks it, and where it knows a server.
case $(readlink -f $resolv || :) in
  /run/systemd/resolve/*) if [ -s $resolved ]; then resolv=$resolved; fi ;;
  *) if grep -qs '^nameserver' $resolved; then resolv=$resolved; fi ;;
esac
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
# ss looks at processes before sockets: one that has just begun to listen has none until the next look.
listeners=$(ss -Hltnp 2>/dev/null) || :
if printf '%s\\n' "$listeners" | grep -qv users:; then listeners=$(ss -Hltnp 2>/dev/null) || :; fi
printf '%s\\n' "$listeners" | while read -r _ _ _ local _ process; do
  if [ -n "$local" ]; then fact listener "\${local##*:} $process"; fi
done
# firewalld refuses in a last rule, and so do images of some providers; rules after such a one are never reached.
ends='(drop|reject( with .*)?|xt target "REJECT")( comment .*)?$'
nft list chains 2>/dev/null | awk '
  $1 == "table" { table = $2 " " $3 }
  $1 == "chain" { chain = $2 }
  table !~ /^(ip|ip6|inet) / || table ~ /^ip6? kube-proxy$/ || $3 != "hook" || $4 !~ /^(forward|input)$/ { next }
  { print $4, table, chain, /policy drop/ || (table == "inet firewalld" && chain ~ /^filter_/) }
' | while read -r hook family table chain drops; do
  if [ "$drops" = 0 ]; then
    nft list chain "$family" "$table" "$chain" 2>/dev/null |
      grep -qE "^[[:space:]]*(counter packets [0-9]+ bytes [0-9]+ )?$ends" || continue
  fi
  fact firewall "$hook $family $table $chain"
  case " \${listed-} " in *" $family/$table "*) continue ;; esac
  listed="\${listed-} $family/$table"
  nft list table "$family" "$table" 2>/dev/null | awk -v table="$family $table" -v ends="^(counter packets [0-9]+ bytes [0-9]+ )?$ends" '
    $1 == "chain" { chain = $2; over = 0 }
    { rule = $0; sub(/^[[:space:]]+/, "", rule) }
    over || rule ~ ends { over = 1; next }
    /accept|jump|goto/ && $1 != "type" { $1 = $1; print "firewallrule", table, chain, $0 }'
done
if grep -qsx filter /proc/net/ip_tables_names && command -v iptables-legacy-save >/dev/null; then
  iptables-legacy-save -t filter 2>/dev/null | awk '
    function drops(chain) {
      if (chain ~ /^(FORWARD|INPUT)$/ && !told[chain]++) print "firewall", tolower(chain), "iptables-legacy filter", chain
    }
    /^:[^ ]* DROP / { drops(substr($1, 2)) }
    $1 != "-A" || over[$2] { next }
    /^-A [^ ]+ -j (DROP|REJECT)( --reject-with [^ ]+)?$/ { over[$2] = 1; drops($2); next }
    { sub(/^-A /, ""); print "firewallrule iptables-legacy filter", $0 }' || :
fi
for file in /etc/cni/net.d/*.conf /etc/cni/net.d/*.conflist /etc/cni/net.d/*.json; do
  if [ -e "$file" ]; then fact cniconfig "\${file##*/}"; fi
done
# In their order: a file of the same name in an earlier folder takes a drop-in's place (systemd.unit(5)).
folders='/etc/systemd/system /run/systemd/system /usr/local/lib/systemd/system /usr/lib/systemd/system /lib/systemd/system'
files=$(for folder in $folders; do echo "$folder/*.service.d/*.conf"; done)
in_effect() { # DROPIN
  for earlier in $folders; do
    if [ "$earlier" = "\${1%/*/*}" ]; then return 0; fi
    if [ -e "$earlier\${1#"\${1%/*/*}"}" ]; then return 1; fi
  done
}
grep -ls '^[[:space:]]*ExecStart[[:space:]]*=' $files | while read -r dropin; do
  if in_effect "$dropin"; then fact commanddropin "$dropin"; fi
done
for folder in $folders; do
  # What is empty, or leads to /dev/null, masks its namesakes.
  for dropin in $folder/kubelet.service.d/*.conf $folder/containerd.service.d/*.conf; do
    if [ -s "$dropin" ] && in_effect "$dropin"; then fact dropin "$dropin"; fi
  done
done
for dropin in /etc/containerd/conf.d/*.toml; do
  case $dropin in */50-kbs.toml) ;; *) if [ -e "$dropin" ]; then fact dropin "$dropin"; fi ;; esac
done
${raw(gpuFactsScript)}fact machineid "$(cat /etc/machine-id 2>/dev/null || :)"
${raw(machineScript)}${raw(systemScript)}if [ -d /var/lib/etcd/member/wal ]; then fact etcdmember yes; fi
if grep -qs KBS_DIGEST /etc/kubernetes/manifests/etcd.yaml /etc/systemd/system/etcd.service ||
  # A restore has stopped etcd here and keeps its data elsewhere.
  [ -e /var/lib/kbs/restore ]; then fact etcdinstalled yes; fi
for file in /etc/kubernetes/manifests/kube-apiserver.yaml /etc/systemd/system/kube-apiserver.service; do
  if grep -qs KBS_DIGEST $file; then
    fact etcdservers "$(sed -n 's/.*--etcd-servers=\\([^ "]*\\).*/\\1/p' $file | head -n 1)"
  fi
done
ca=/etc/kubernetes/pki/ca.crt
# A load balancer knows the cluster only by what its haproxy trusts.
if [ ! -e $ca ] && [ -e /etc/kbs/haproxy-health ]; then ca=/etc/haproxy/ca.crt; fi
if [ -e $ca ] || [ -L $ca ]; then
  pem=$(sed -n '/^-----BEGIN CERTIFICATE/,/^-----END CERTIFICATE/{ p; /^-----END/q; }' $ca 2>/dev/null || :)
  base64=$(printf '%s\\n' "$pem" | sed '/^-----/d')
  digest=
  case $pem in *'-----END CERTIFICATE'*)
    if printf %s "$base64" | base64 -d >/dev/null 2>&1; then digest=$(printf %s "$base64" | base64 -d | sha256sum); fi
  esac
  digest=\${digest%% *}
  fact clusterca "\${digest:-unreadable}"
else
  # What may not be searched may hold one.
  for folder in /etc/kubernetes /etc/kubernetes/pki; do
    if [ -d $folder ] && [ ! -x $folder ]; then fact clusterca unreadable; break; fi
  done
fi
`;
