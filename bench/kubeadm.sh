#!/usr/bin/env bash
# What an administrator writes to bring up a cluster with kubeadm: hosts in parallel over multiplexed ssh, one tar per
# host, images imported one by one, init, joins in parallel, routes, and a wait until everything is ready.
# bench/bring-up.ts runs it beside kbs. Each step prints `step SECONDS NAME` when it is done.
#
#   FILES             what bench/plain-files.ts makes: node/ for every node, control-plane/ for the control plane besides
#   KEY, KNOWN_HOSTS  how to log in
#   CONTROLLER        name address gateway pod-CIDR
#   WORKERS           the same, one per line
#   ROUTER            address of the router
#   PODS, SERVICES    the cluster's networks
#   KUBERNETES, ETCD, COREDNS, PAUSE   the images' tags
set -euo pipefail

work=$(mktemp -d)
token=bench0.0123456789abcdef
ssh_options=(-i "$KEY" -o IdentitiesOnly=yes -o BatchMode=yes -o LogLevel=ERROR -o "UserKnownHostsFile=$KNOWN_HOSTS"
  -o ControlMaster=auto -o "ControlPath=$work/%h" -o ControlPersist=120)
read -r _ api _ <<<"$CONTROLLER"
mapfile -t workers <<<"$WORKERS"
nodes=("$CONTROLLER" "${workers[@]}")
begun=$EPOCHREALTIME

# The cgroup version is the same on the lab's hosts as here.
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  cgroup_driver=systemd systemd_cgroup=true fail_cgroup_v1=true
else
  cgroup_driver=cgroupfs systemd_cgroup=false fail_cgroup_v1=false
fi

main() {
  local controller preparing=() joining=() hash node
  prepare_node "$CONTROLLER" "$FILES/control-plane" &
  controller=$!
  for node in "${workers[@]}"; do
    prepare_node "$node" &
    preparing+=($!)
  done
  prepare_router &
  preparing+=($!)
  wait "$controller"
  step 'control plane prepared: files, containerd, images, routes'

  on "$api" kubeadm init --config /etc/kubeadm.yaml --ignore-preflight-errors=all >"$work/init.log" 2>&1 ||
    fail "$work/init.log"
  hash=$(grep -o -m1 'sha256:[0-9a-f]*' "$work/init.log")
  step 'kubeadm init'
  forward_nowhere
  for node in "${preparing[@]}"; do wait "$node"; done
  step 'workers and router prepared'

  for node in "${workers[@]}"; do
    join "$node" "$hash" &
    joining+=($!)
  done
  for node in "${joining[@]}"; do wait "$node"; done
  step 'kubeadm join, in parallel'

  on "$api" bash -s "${#nodes[@]}" <"$work/await-ready"
  step 'nodes, kube-proxy and CoreDNS ready'
}

step() { # name: says it with the seconds since the step before
  local now=$EPOCHREALTIME
  printf 'step %s %s\n' "$(awk "BEGIN { printf \"%.1f\", $now - $begun }")" "$1"
  begun=$now
}

on() { # address command…
  local address=$1
  shift
  ssh "${ssh_options[@]}" "root@$address" "$@"
}

fail() { # log
  cat "$1" >&2
  exit 1
}

prepare_node() { # node [more files]
  local name address gateway pods
  read -r name address gateway pods <<<"$1"
  write_configuration "$work/$name" "$name" "$pods"
  tar -cf - -C "$FILES/node" usr opt ${2:+-C "$2" usr opt} -C "$work/$name" etc |
    on "$address" tar -C / --no-overwrite-dir -xf -
  { write_hosts; write_routes "$name" "$gateway"; } | on "$address" bash -eus
  on "$address" bash -eus <"$work/set-up"
}

join() { # node hash
  local name address rest
  read -r name address rest <<<"$1"
  on "$address" kubeadm join "$api:6443" --token "$token" --discovery-token-ca-cert-hash "$2" --node-name "$name" \
    --ignore-preflight-errors=all >"$work/$name.log" 2>&1 || fail "$work/$name.log"
}

# Runs on every node: nothing here needs kubeadm yet.
cat >"$work/set-up" <<'SET_UP'
modprobe -qa overlay br_netfilter nf_conntrack || :
sysctl -q -p /etc/sysctl.d/90-kubernetes.conf
swapoff -a || :
nft -f /etc/masquerade.nft
systemctl daemon-reload
systemctl -q enable kubelet
systemctl -q enable --now containerd
for image in /opt/images/*.tar; do ctr -n k8s.io images import "$image" >/dev/null; done
SET_UP

# The same end that kbs waits for: every node Ready, kube-proxy on each, one CoreDNS that answers.
cat >"$work/await-ready" <<'AWAIT_READY'
export KUBECONFIG=/etc/kubernetes/admin.conf
condition='{.status.conditions[?(@.type=="Ready")].status}{"\n"}'
count() { kubectl "$@" -o jsonpath="{range .items[*]}$condition{end}" 2>/dev/null | grep -c True || :; }
for _ in $(seq 600); do
  if [ "$(count get nodes)" = "$1" ] &&
    [ "$(count -n kube-system get pods -l k8s-app=kube-proxy)" = "$1" ] &&
    [ "$(count -n kube-system get pods -l k8s-app=kube-dns)" != 0 ]; then exit 0; fi
  sleep 0.2
done
kubectl get nodes,pods -A -o wide >&2
exit 1
AWAIT_READY

write_hosts() {
  local node name address rest
  for node in "${nodes[@]}"; do
    read -r name address rest <<<"$node"
    printf 'grep -q " %s$" /etc/hosts || echo "%s %s" >>/etc/hosts\n' "$name" "$address" "$name"
  done
}

write_routes() { # own name, own gateway; without both: the router's
  local node name address gateway pods via
  for node in "${nodes[@]}"; do
    read -r name address gateway pods <<<"$node"
    if [ "$name" = "${1:-}" ]; then continue; fi
    via=$address
    if [ "${2:-$gateway}" != "$gateway" ]; then via=$2; fi
    printf 'ip route replace %s via %s\n' "$pods" "$via"
  done
}

prepare_router() {
  { printf 'sysctl -q -w net.ipv4.ip_forward=1\n'; write_routes; } | on "$ROUTER" bash -eus
}

# The lab's hosts have no resolver, and CoreDNS would end where it finds none to forward to.
forward_nowhere() {
  on "$api" bash -eus <<'PATCH' >/dev/null
export KUBECONFIG=/etc/kubernetes/admin.conf
kubectl -n kube-system get configmap coredns -o yaml | sed '/forward \. /,/}/d' | kubectl replace -f -
PATCH
}

write_configuration() { # folder, name, pod CIDR
  local etc=$1/etc
  mkdir -p "$etc/containerd" "$etc/cni/net.d" "$etc/sysctl.d" "$etc/systemd/system/kubelet.service.d"
  cat >"$etc/sysctl.d/90-kubernetes.conf" <<END
net.ipv4.ip_forward = 1
net.bridge.bridge-nf-call-iptables = 1
net.ipv4.conf.all.rp_filter = 2
END
  cat >"$etc/masquerade.nft" <<END
# All networks of the lab lie in 10.0.0.0/8.
table ip bench {
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ip saddr $PODS ip daddr != { 10.0.0.0/8, 224.0.0.0/4 } masquerade
  }
}
END
  cat >"$etc/cni/net.d/10-bench.conflist" <<END
{ "cniVersion": "1.0.0", "name": "bench", "plugins": [
  { "type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
    "ipam": { "type": "host-local", "ranges": [[{ "subnet": "$3" }]], "routes": [{ "dst": "0.0.0.0/0" }] } },
  { "type": "portmap", "capabilities": { "portMappings": true } }
] }
END
  cat >"$etc/containerd/config.toml" <<END
version = 3
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = 'kbs.local/pause:$PAUSE'
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = 'io.containerd.runc.v2'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  BinaryName = '/usr/local/bin/runc'
  SystemdCgroup = $systemd_cgroup
END
  cat >"$etc/systemd/system/containerd.service" <<END
[Unit]
After=network.target
[Service]
Type=notify
ExecStart=/usr/local/bin/containerd
Delegate=yes
KillMode=process
Restart=always
LimitNOFILE=1048576
TasksMax=infinity
[Install]
WantedBy=multi-user.target
END
  cat >"$etc/systemd/system/kubelet.service" <<END
[Unit]
After=containerd.service
StartLimitIntervalSec=0
[Service]
ExecStart=/usr/local/bin/kubelet
Restart=always
RestartSec=1
[Install]
WantedBy=multi-user.target
END
  # kubeadm's own drop-in, as its packages bring it.
  cat >"$etc/systemd/system/kubelet.service.d/10-kubeadm.conf" <<'END'
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
ExecStart=
ExecStart=/usr/local/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS
END
  cat >"$etc/kubeadm.yaml" <<END
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
bootstrapTokens: [{ token: $token }]
localAPIEndpoint: { advertiseAddress: $api }
nodeRegistration: { name: $2, imagePullPolicy: Never }
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: $KUBERNETES
imageRepository: kbs.local
etcd: { local: { imageTag: "$ETCD" } }
dns: { imageTag: "$COREDNS" }
networking: { serviceSubnet: $SERVICES }
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: $cgroup_driver
failCgroupV1: $fail_cgroup_v1
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clusterCIDR: $PODS
conntrack: { maxPerCore: 0, min: 0 }
END
}

# Runs at every end: what was started in the background, and the connections that ssh keeps.
finish() {
  local running socket
  running=$(jobs -p)
  # shellcheck disable=SC2086 # one word per process
  if [ -n "$running" ]; then kill $running 2>/dev/null || :; fi
  for socket in "$work"/*.*.*.*; do
    if [ -S "$socket" ]; then ssh -o ControlPath="$socket" -O exit none 2>/dev/null || :; fi
  done
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

main
