#!/bin/sh
# npm test: from a bare machine (Node, npm, Go, apt, root) to one line that says how many tests passed.
set -eu
cd "$(dirname "$0")/.."

main() {
  [ "$(id -u)" = 0 ] || fail 'the tests make network namespaces and boot machines: run them as root'
  node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' ||
    fail "Node $(node --version) is too old: 20.19 or newer is needed"
  command -v go >/dev/null || fail 'Go is not installed: Kubernetes is built from its modules'
  install_packages
  node scripts/is-locked.js || npm ci
  exec node --import tsx scripts/test.ts
}

# In a shell of its own, which clears up as it ends.
install_packages() (
  missing=$(grep -v '^#' scripts/packages.txt | while read -r package file _; do
    [ -e "$file" ] || echo "$package"
  done)
  [ -n "$missing" ] || exit 0
  echo "installing:" $missing
  # A test run leaves no sshd and no haproxy listening on this machine.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -qq -y --no-install-recommends $missing >/dev/null
)

fail() {
  echo "$1" >&2
  echo '0 passed, 1 failed, 0 skipped'
  exit 1
}

main
