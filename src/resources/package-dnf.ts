import { sh } from '../hosts/shell.js';

/**
 * What `package-install.ts` asks of a package manager, for dnf 4 and dnf5. Packages of Fedora and RHEL start no service, so
 * there is nothing to forbid. A transaction is planned by downloading it: what lies there then is all of it, in `rpms`, or
 * in the cache where dnf goes by its own folder. rpm names what stays because others need it; dnf removes the rest, and
 * would take along what needs that. An interrupted transaction leaves nothing to complete: dnf installs what is missing.
 */
export const dnfFunctions = sh`export LC_ALL=C
start_nothing() { :; }
settle_begun() { :; }
installed() { rpm -q "$1" >/dev/null 2>&1; }
case " $(. /etc/os-release; echo "\${ID-} \${ID_LIKE-}") " in
  *' rhel '*|*' centos '*) hint='; some packages are in EPEL: dnf install -y epel-release' ;;
esac
get() { # SECONDS WORDS...: dnf for at most that long, or for as long as it takes where they are 0
  limit=$1; shift
  timeout -k 5 "$limit" dnf -y --setopt=cachedir="$work/cache" --setopt=destdir="$work/rpms" \\
    --setopt=install_weak_deps=0 --setopt=clean_requirements_on_remove=0 \\
    --setopt=timeout=10 --setopt=retries=2 '--setopt=*.skip_if_unavailable=1' "$@" </dev/null
}
from_host() { get 600 install --downloadonly $wanted > "$work/log" 2>&1; }
fresh() {
  {
    find "$work/rpms" "$work/cache" -name '*.rpm' -exec rpm -qp --nosignature --nodigest --qf '%{NAME}\\n' {} + 2>/dev/null || :
    printf '%s\\n' $wanted
  } | while read -r package; do
    if ! installed "$package"; then echo "remove $package"; fi
  done
}
put() { get 0 install $wanted; }
take_away() {
  going=
  while read -r _ package; do
    if installed "$package"; then going="$going $package"; fi
  done < "$note"
  while [ -n "$going" ] && ! rpm -e --test $going > "$work/log" 2>&1; do
    # haproxy-filesystem = 2.4 is needed by (installed) other-1.0-1.x86_64
    sed -n 's/^[[:space:]]*\\(.*\\) is needed by (installed) .*/\\1/p' "$work/log" | sed 's/ [<>=].*//' |
      while read -r needed; do rpm -q --whatprovides "$needed" --qf '%{NAME}\\n' || :; done > "$work/needed"
    staying=$going going=
    for package in $staying; do
      if ! grep -qxF "$package" "$work/needed"; then going="$going $package"; fi
    done
    [ "$going" != "$staying" ] || fail "rpm would not remove$going"
  done
  if [ -n "$going" ]; then get 0 remove $going > "$work/log" 2>&1 || fail "dnf could not remove$going"; fi
}`;
