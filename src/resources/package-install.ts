import { findManager } from '../hosts/facts/packages.js';
import { lines, raw, receive, type Script, sh } from '../hosts/shell.js';
import { aptFunctions } from './package-apt.js';
import { dnfFunctions } from './package-dnf.js';
import type { PackageRepository, PackageResource } from './resource.js';

const store = '/var/lib/kbs/packages';

/** Exists while packages come or go, and afterwards only where that was cut off, as by a loss of power. */
export const work = `${store}/work`;

/**
 * The path of the list of packages that kbs installed for these, in lines `purge NAME`, or `remove NAME` where settings of
 * the package existed before.
 */
export const installedListOf = (names: readonly string[]): string => `${store}/${names.join(',')}`;

/**
 * Shell that installs packages with the host's own package manager: from the host's own sources, unless `bundleOnly`, else
 * from the repository in a tar on stdin, where there is one. Lists and caches are of its own, so that the host's stay.
 */
export const install = ({ names, repository, bundleOnly }: PackageResource): Script =>
  lines(
    opening(names),
    repository === undefined ? sh`` : receive(repository.packedSize, `${work}/repository.tar`),
    bundleOnly && repository === undefined ? leaveToOwner : sh``,
    byManager,
    sh`known_manager`,
    repository === undefined ? fromHostAlone : bundleOnly ? fromBundleAlone(repository) : fromEither(repository),
    bring,
  );

/** Shell that removes the listed packages, except those on which other packages depend by now. */
export const remove = (names: readonly string[]): Script =>
  lines(
    opening(names),
    byManager,
    sh`if [ -e "$note" ]; then
  known_manager; take_away; rm -f "$note"
fi`,
  );

/** Package managers run in a process group of their own: a script that gets a signal lets them finish, and then cleans up. */
const opening = (names: readonly string[]): Script => sh`wanted=${names.join(' ')}
note=${installedListOf(names)} work=${work}
mkdir -p -m 0700 ${store}
mkdir -p "$work"
rm -rf "$work"/*
let_start() { :; }
finish() {
  let_start
  rm -rf "$work"
  rmdir ${store} /var/lib/kbs 2>/dev/null || :
}
trap finish EXIT; trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM
fail() { echo "$1:" >&2; tail -n 8 "$work/log" >&2; exit 1; }
refuse() { echo "$1" >&2; exit 1; }
known_manager() { [ "$manager" != none ] || refuse "kbs knows packages of apt and dnf only: see to $wanted yourself"; }
${raw(findManager)}`;

const leaveToOwner = sh`case $manager in
  apt) command=": apt-get install -y $wanted" ;;
  dnf) command=": dnf install -y $wanted" ;;
  *) command= ;;
esac
refuse "kbs may not take $wanted from the package sources of this host, and the bundle has none for it: install them yourself$command"`;

/**
 * One interface, whatever the manager. `from_host` and `from_bundle` choose what has to come, and download it; the first
 * fails with the reason in `log` where that cannot be. `fresh` prints, for the list, what of it is not installed yet.
 * `put` installs it. `take_away` removes what the list names. `settle_begun` completes what an earlier run began.
 */
const byManager = sh`case $manager in
apt)
${raw(aptFunctions)}
;;
dnf)
${raw(dnfFunctions)}
;;
esac`;

const fromHostAlone = sh`choose() {
  from_host || fail "the package sources of this host do not give $wanted, or none of them answers\${hint-}"
}`;

const fits = ({ distribution }: PackageRepository): Script => sh`is_for=${distribution}
fits() { ( . /etc/os-release; [ "\${ID:-}-\${VERSION_ID:-}" = "$is_for" ] ); }
unpack() { tar -xf "$work/repository.tar" -C "$work/repository" --no-same-owner; }`;

const fromBundleAlone = (repository: PackageRepository): Script => sh`${raw(fits(repository))}
choose() {
  fits || refuse "what kbs brings of $wanted is for $is_for, which this host is not"
  unpack; from_bundle
}`;

const fromEither = (repository: PackageRepository): Script => sh`${raw(fits(repository))}
choose() {
  if ! from_host; then
    fits || fail "the package sources of this host do not give $wanted, and what kbs brings is for $is_for, which this host is not"
    unpack; from_bundle
  fi
}`;

/** The list is written before anything is installed, and keeps the entries of an earlier run that was interrupted. */
const bring = sh`mkdir "$work/lists" "$work/cache" "$work/repository"
start_nothing
if [ -e "$note" ]; then
  settle_begun
  cp "$note" "$work/known"
fi
choose
fresh >> "$work/known"
awk '!($2 in known) { known[$2]; print }' "$work/known" > "$work/note"
mv -fT "$work/note" "$note"
put > "$work/log" 2>&1 || fail "$manager could not install $wanted"`;
