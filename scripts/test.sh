#!/bin/sh
# npm test: from a bare machine (Node, npm, Go, apt, root) to one line that says how many tests passed.
set -eu
cd "$(dirname "$0")/.."

# What the tests and the lab run: package, and a file by which an installed one is known.
needs='
systemd-container /usr/bin/systemd-nspawn
debootstrap /usr/sbin/debootstrap
openssh-server /usr/sbin/sshd
openssh-client /usr/bin/ssh
iproute2 /sbin/ip
nftables /usr/sbin/nft
iptables /usr/sbin/iptables
conntrack /usr/sbin/conntrack
haproxy /usr/sbin/haproxy
keepalived /usr/sbin/keepalived
curl /usr/bin/curl
procps /usr/bin/ps
zstd /usr/bin/zstd
xz-utils /usr/bin/xz
gcc /usr/bin/gcc
libc6-dev /usr/include/stdio.h
make /usr/bin/make
pkg-config /usr/bin/pkg-config
libseccomp-dev /usr/include/seccomp.h
e2fsprogs /sbin/mkfs.ext4
util-linux /usr/bin/unshare
bsdutils /usr/bin/script
openssl /usr/bin/openssl
git /usr/bin/git
ca-certificates /usr/sbin/update-ca-certificates
'

main() {
  [ "$(id -u)" = 0 ] || fail 'the tests make network namespaces and boot machines: run them as root'
  node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' ||
    fail "Node $(node --version) is too old: 20.19 or newer is needed"
  command -v go >/dev/null || fail 'Go is not installed: Kubernetes is built from its modules'
  install_packages
  # Asks whether the installed tree is the one that the lock file names.
  npm ls --all >/dev/null 2>&1 || npm install --no-save
  exec node --import tsx scripts/test.ts
}

install_packages() {
  missing=$(echo "$needs" | while read -r package file; do
    [ -z "$package" ] || [ -e "$file" ] || echo "$package"
  done)
  [ -n "$missing" ] || return 0
  echo "installing:" $missing
  # A test run leaves no sshd and no haproxy listening on this machine.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -qq -y --no-install-recommends $missing >/dev/null
  rm -f /usr/sbin/policy-rc.d
  trap - EXIT
}

fail() {
  echo "$1" >&2
  echo '0 passed, 1 failed, 0 skipped'
  exit 1
}

main
