import { lines, raw, receive, type Script, sh } from '../hosts/shell.js';
import { restoreOriginal, saveOriginal, temporaryPath } from './original.js';

const store = '/var/lib/kbs/packages';
const policy = '/usr/sbin/policy-rc.d';

/** Exists while packages come or go, and afterwards only where that was cut off, as by a loss of power. */
export const work = `${store}/work`;

/**
 * The path of the list of packages that kbs installed for these, in lines `purge NAME`, or `remove NAME` where settings of
 * the package existed before.
 */
export const installedListOf = (names: readonly string[]): string => `${store}/${names.join(',')}`;

/**
 * Shell that installs packages: from the distribution where a mirror answers, else from the repository in the tar of
 * `size` bytes on stdin, where a size is given. Lists and caches are of its own, so that apt's stay as they are.
 */
export const install = (names: readonly string[], size?: number): Script =>
  lines(
    sh`if ! command -v apt-get >/dev/null; then
  echo ${`kbs installs packages with apt only: install ${names.join(' and ')} yourself`} >&2
  exit 1
fi
wanted=${names.join(' ')}`,
    opening(names),
    size === undefined ? sh`` : receive(size, `${work}/repository.tar`),
    startNothing,
    fromDistribution,
    size === undefined ? fromNowhereElse : fromBundle,
    bring,
  );

/** Shell that removes the listed packages, except those on which other packages depend by now. */
export const remove = (names: readonly string[]): Script => lines(opening(names), takeAway);

/** dpkg runs in a process group of its own: a script that gets a signal lets it finish, and then cleans up. */
const opening = (names: readonly string[]): Script => sh`note=${installedListOf(names)} work=${work}
mkdir -p -m 0700 ${store}
mkdir -p "$work"
rm -rf "$work"/*
finish() {
  ${raw(restoreOriginal(policy))}
  rm -rf "$work"
  rmdir ${store} /var/lib/kbs 2>/dev/null || :
}
trap finish EXIT; trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM
export DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_SUSPEND=1
state() { dpkg-query -W -f '\${db:Status-Abbrev}' "$1" 2>/dev/null || :; }
fail() { echo "$1:" >&2; tail -n 8 "$work/log" >&2; exit 1; }
settle() { # WORDS...: dpkg, which does not itself wait for another one
  tries=0
  until timeout 0 dpkg "$@" </dev/null > "$work/log" 2>&1; do
    if [ "$tries" -ge 60 ] || ! grep -q 'locked by another process' "$work/log"; then return 1; fi
    tries=$((tries + 1)); sleep 1
  done
}`;

/** What maintainer scripts ask before they start a service (invoke-rc.d(8)): 101 forbids it. */
const startNothing = sh`${raw(saveOriginal(policy))}
printf '%s\\n' '#!/bin/sh' '# Written by kbs while it installs packages.' 'exit 101' > ${temporaryPath(policy)}
chmod 0755 ${temporaryPath(policy)}
mv -fT ${temporaryPath(policy)} ${policy}`;

/** Of the lists, the small release files come first: they tell within seconds whether any mirror answers. */
const fromDistribution = sh`sources=
get() { # SECONDS WORDS...: apt-get for at most that long, or for as long as it takes where they are 0
  limit=$1; shift
  timeout -k 5 "$limit" apt-get -q -y --no-install-recommends --no-remove $sources \\
    -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root \\
    -o Acquire::Languages=none -o DPkg::Lock::Timeout=60 \\
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" </dev/null
}
from_distribution() {
  get 8 update -o Acquire::Retries=0 -o Acquire::http::Timeout=3 -o Acquire::https::Timeout=3 \\
    -o Acquire::IndexTargets::deb::Packages::DefaultEnabled=false > "$work/log" 2>&1 || :
  ls "$work/lists" | grep -q 'Release$' || return 1
  get 300 update >> "$work/log" 2>&1 || :
  get 60 --simulate install $wanted > "$work/plan" 2>> "$work/log" || return 1
  get 300 --download-only install $wanted >> "$work/log" 2>&1
}`;

const fromNowhereElse = sh`from_bundle() { fail "the distribution does not give $wanted, or none of its mirrors answers"; }`;

const fromBundle = sh`from_bundle() {
  if ! ( . /etc/os-release; [ "\${ID:-} \${VERSION_ID:-}" = 'debian 12' ] ); then
    fail "the distribution does not give $wanted, and what kbs brings is for Debian 12, which this host is not"
  fi
  tar -xf "$work/repository.tar" -C "$work/repository" --no-same-owner
  echo "deb [trusted=yes] file:$work/repository ./" > "$work/sources.list"
  sources="-o Dir::Etc::sourcelist=$work/sources.list -o Dir::Etc::sourceparts=/dev/null"
  sources="$sources -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null"
  sources="$sources -o APT::Default-Release="
  rm -rf "$work/lists"/*
  get 60 update > "$work/log" 2>&1 || fail 'apt-get cannot read the packages that kbs brings'
  get 60 --simulate install $wanted > "$work/plan" 2>> "$work/log" || fail "apt-get cannot install $wanted here"
}`;

/** The list is written before anything is installed, and keeps the entries of an earlier run that was interrupted. */
const bring = sh`mkdir "$work/lists" "$work/cache" "$work/repository"
if [ -e "$note" ]; then
  settle --configure -a || fail 'dpkg could not finish what it had begun'
  cp "$note" "$work/known"
fi
if ! from_distribution; then from_bundle; fi
sed -n 's/^Inst \\([^ ]*\\) (.*/\\1/p' "$work/plan" | while read -r package; do
  case "$(state "$package")" in
    ?c*) echo "remove $package" ;;
    *) echo "purge $package" ;;
  esac
done >> "$work/known"
awk '!($2 in known) { known[$2]; print }' "$work/known" > "$work/note"
mv -fT "$work/note" "$note"
get 0 install $wanted > "$work/log" 2>&1 || fail "apt-get could not install $wanted"`;

/**
 * All at once, for dpkg knows the order; a second pass for the settings of those that did go. What dpkg keeps because
 * others need it stays wanted: dpkg marks for removal even what it refuses to remove.
 */
const takeAway = sh`if [ -e "$note" ]; then
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
  rm -f "$note"
fi`;
