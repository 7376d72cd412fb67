import { raw, sh } from '../hosts/shell.js';
import { restoreOriginal, saveOriginal, temporaryPath } from './original.js';

const policy = '/usr/sbin/policy-rc.d';

/**
 * What `package-install.ts` asks of a package manager, for apt. Of the lists, the small release files come first: they tell
 * within seconds whether any mirror answers. What maintainer scripts ask before they start a service is invoke-rc.d(8):
 * 101 forbids it. Packages are removed all at once, for dpkg knows the order, with a second pass for the settings of those
 * that did go. What dpkg keeps because others need it stays wanted: dpkg marks for removal even what it refuses to remove.
 */
export const aptFunctions = sh`export DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_SUSPEND=1
let_start() {
  ${raw(restoreOriginal(policy))}
}
start_nothing() {
  ${raw(saveOriginal(policy))}
  printf '%s\\n' '#!/bin/sh' '# Written by kbs while it installs packages.' 'exit 101' > ${temporaryPath(policy)}
  chmod 0755 ${temporaryPath(policy)}
  mv -fT ${temporaryPath(policy)} ${policy}
}
state() { dpkg-query -W -f '\${db:Status-Abbrev}' "$1" 2>/dev/null || :; }
settle() { # WORDS...: dpkg, which does not itself wait for another one
  tries=0
  until timeout 0 dpkg "$@" </dev/null > "$work/log" 2>&1; do
    if [ "$tries" -ge 60 ] || ! grep -q 'locked by another process' "$work/log"; then return 1; fi
    tries=$((tries + 1)); sleep 1
  done
}
settle_begun() { settle --configure -a || fail 'dpkg could not finish what it had begun'; }
sources=
get() { # SECONDS WORDS...: apt-get for at most that long, or for as long as it takes where they are 0
  limit=$1; shift
  timeout -k 5 "$limit" apt-get -q -y --no-install-recommends --no-remove $sources \\
    -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root \\
    -o Acquire::Languages=none -o DPkg::Lock::Timeout=60 \\
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" </dev/null
}
from_host() {
  get 8 update -o Acquire::Retries=0 -o Acquire::http::Timeout=3 -o Acquire::https::Timeout=3 \\
    -o Acquire::IndexTargets::deb::Packages::DefaultEnabled=false > "$work/log" 2>&1 || :
  ls "$work/lists" | grep -q 'Release$' || return 1
  get 300 update >> "$work/log" 2>&1 || :
  get 60 --simulate install $wanted > "$work/plan" 2>> "$work/log" || return 1
  get 300 --download-only install $wanted >> "$work/log" 2>&1
}
from_bundle() {
  echo "deb [trusted=yes] file:$work/repository ./" > "$work/sources.list"
  sources="-o Dir::Etc::sourcelist=$work/sources.list -o Dir::Etc::sourceparts=/dev/null"
  sources="$sources -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null"
  sources="$sources -o APT::Default-Release="
  rm -rf "$work/lists"/*
  get 60 update > "$work/log" 2>&1 || fail 'apt-get cannot read the packages that kbs brings'
  get 60 --simulate install $wanted > "$work/plan" 2>> "$work/log" || fail "what kbs brings does not give $wanted, or not for what is installed here"
}
fresh() {
  sed -n 's/^Inst \\([^ ]*\\) (.*/\\1/p' "$work/plan" | while read -r package; do
    case "$(state "$package")" in
      ?c*) echo "remove $package" ;;
      *) echo "purge $package" ;;
    esac
  done
}
put() { get 0 install $wanted; }
take_away() {
  settle --remove $(sed 's/^[a-z]* //' "$note") || :
  mv "$work/log" "$work/removed"
  settings=
  while read -r how package; do
    case "$how $(state "$package")" in
      'purge '?c*) settings="$settings $package" ;;
      *' '?[iUFHWt]*)
        if ! grep -Eq "prevent removal of $package(:|$)" "$work/removed"; then
          cp "$work/removed" "$work/log"
          fail "dpkg could not remove $package"
        fi
        echo "$package install" | dpkg --set-selections ;;
    esac
  done < "$note"
  if [ -n "$settings" ]; then settle --purge $settings || fail 'dpkg could not remove the settings of packages'; fi
}`;
