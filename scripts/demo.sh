#!/bin/sh
# npm run demo: from a bare machine to a real cluster in a lab, proved with real packets.
set -eu
cd "$(dirname "$0")/.."
inventory=inventories/two-segments.yaml

main() {
  [ "$(id -u)" = 0 ] || fail 'the lab boots machines and makes network namespaces: run this as root'
  command -v go >/dev/null || [ -e "${XDG_CACHE_HOME:-$HOME/.cache}/kbs/bundles" ] ||
    fail 'Go is not installed: Kubernetes is built from its modules (https://go.dev/dl)'
  node scripts/is-locked.js || npm ci
  # A build takes longer than everything else of a second run.
  [ -e oclif.manifest.json ] && [ -z "$(find src -newer oclif.manifest.json -print -quit)" ] || npm run --silent build
  step 'Everything a cluster needs, built once (about ten minutes) and then cached' bundle build --install
  step 'Three hosts and a router, in two network segments' lab up -i $inventory --install
  step 'The control plane and the router' init -i $inventory --yes
  step 'The workers of both segments' join -i $inventory --yes
  step 'The proof' verify -i $inventory -v
  cat <<END

It is your cluster now. Try:
  bin/run.js status -i $inventory
  bin/run.js lab ssh controller-00 -i $inventory kubectl --kubeconfig /etc/kubernetes/admin.conf get pods -A -o wide
  bin/run.js lab ssh worker-rack-00 -i $inventory systemctl stop kubelet; bin/run.js plan -i $inventory; bin/run.js apply -i $inventory --yes
  bin/run.js render -i $inventory /tmp/rendered
  bin/run.js lab down -i $inventory
END
}

step() {
  printf '\n== %s\n$ kbs' "$1"
  shift
  printf ' %s' "$@"
  printf '\n'
  node bin/run.js "$@"
}

fail() {
  echo "$1" >&2
  exit 1
}

main
