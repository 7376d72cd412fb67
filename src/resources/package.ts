import { sh } from '../hosts/shell.js';
import { install, installedListOf, remove, work } from './package-install.js';
import type { Kind, PackageResource } from './resource.js';
import { step } from './resource.js';

/**
 * Packages of the host's own package manager. A list under /var/lib/kbs/packages names the packages that kbs installed, with
 * their dependencies; only those are removed. Where dpkg does not keep the packages, the program that one is wanted for counts
 * for it.
 */
export const osPackage: Kind<PackageResource> = {
  kind: 'package',
  id: ({ names }) => names.join(' '),
  prelude: sh`
query_packages() { # LIST NAME...
  if [ -e "$1" ]; then echo 'touched yes'; else echo 'touched no'; fi
  if [ -e ${work} ]; then echo 'installation unfinished'; else echo 'installation whole'; fi
  shift
  if dpkg-query -W dpkg >/dev/null 2>&1; then by_dpkg=yes; else by_dpkg=no; fi
  for name; do
    if [ $by_dpkg = yes ]; then
      echo "package $name $(dpkg-query -W -f '\${db:Status-Abbrev} \${Version}\\n' "$name" 2>/dev/null | sed -n 1p)"
    elif version=$(rpm -q --qf 'ii %{VERSION}-%{RELEASE}\\n' "$name" 2>/dev/null); then
      echo "package $name $(printf '%s\\n' "$version" | sed -n 1p)"
    else
      case $name in nftables) program=nft ;; *) program=$name ;; esac
      if command -v "$program" >/dev/null; then echo "program $name"; fi
    fi
  done
}`,
  query: ({ names }) => sh`query_packages ${installedListOf(names)} ${names}`,
  parse(output, { names }) {
    const lines = output.split('\n').map((line) => line.split(/ +/));
    const said = (word: string) => lines.find(([first]) => first === word)?.[1] ?? '';
    const packages = names.map((name) => [name, stateOf(lines.slice(2).find(([, of]) => of === name))] as const);
    const found = packages.filter(([, state]) => state !== 'absent');
    const seen = { touched: said('touched'), installation: said('installation'), ...Object.fromEntries(found) };
    return found.length === 0 && seen.touched === 'no' && seen.installation === 'whole' ? undefined : seen;
  },
  desired: ({ names }) => ({ ...Object.fromEntries(names.map((name) => [name, 'installed'])), installation: 'whole' }),
  apply(resource) {
    const { repository } = resource;
    const payloads = repository === undefined ? [] : [{ file: repository.file, size: repository.packedSize }];
    return [step(install(resource), payloads)];
  },
  remove: ({ names }, seen) => (seen.touched === 'yes' || seen.installation !== 'whole' ? [step(remove(names))] : []),
  record: {
    write: () => ({}),
    read: (id) => ({ kind: 'package', names: id.split(' ') }),
  },
  owns: ({ names }) => names.map((name) => `package named ${name}`),
};

/** `package haproxy ii 2.6.12-1`: the second letter of the third word is the state (dpkg-query(1)). */
const stateOf = (line: readonly string[] = []): string => {
  const [word, , status = ''] = line;
  return word === 'program' ? 'installed' : (states[status.charAt(1)] ?? 'absent');
};

const states: Readonly<Record<string, string>> = {
  i: 'installed',
  c: 'removed',
  U: 'unpacked',
  F: 'half configured',
  H: 'half installed',
  W: 'waiting for triggers',
  t: 'waiting for triggers',
};
