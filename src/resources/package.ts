import { sh } from '../hosts/shell.js';
import { nothing } from './binary.js';
import { install, installedListOf, remove, work } from './package-install.js';
import type { Kind, PackageResource } from './resource.js';
import { step } from './resource.js';

/**
 * Packages of the host's own package manager. A list under /var/lib/kbs/packages names the packages that kbs installed, with
 * their dependencies; only those are removed. On a host without dpkg, a program of the package's name counts as installed.
 */
export const osPackage: Kind<PackageResource> = {
  kind: 'package',
  id: ({ names }) => names.join(' '),
  prelude: sh`
query_packages() { # LIST NAME...
  if [ -e "$1" ]; then echo 'touched yes'; else echo 'touched no'; fi
  if [ -e ${work} ]; then echo 'installation unfinished'; else echo 'installation whole'; fi
  shift
  for name; do
    if command -v dpkg-query >/dev/null; then
      echo "package $name $(dpkg-query -W -f '\${db:Status-Abbrev} \${Version}\\n' "$name" 2>/dev/null | sed -n 1p)"
    elif command -v "$name" >/dev/null; then
      echo "program $name"
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
  apply: ({ names, repository }) =>
    repository === undefined
      ? [step(install(names))]
      : [step(install(names, repository.packedSize), [{ file: repository.file, size: repository.packedSize }])],
  remove: ({ names }, seen) => (seen.touched === 'yes' || seen.installation !== 'whole' ? [step(remove(names))] : []),
  record: {
    write: () => ({}),
    read: (id) => ({ kind: 'package', names: id.split(' '), repository: nothing }),
  },
  claims: ({ names }) => names.map((name) => `package named ${name}`),
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
