import { sh } from '../hosts/shell.js';
import { install, noteOf, remove, work } from './package-install.js';
import type { Kind, PackageResource } from './resource.js';
import { step } from './resource.js';

/**
 * Packages of the host's own package manager. Which of them kbs brought, with all that came along, a note under
 * /var/lib/kbs/packages says; so what was there before kbs, and what the host has got since, is not kbs's to remove.
 * Where there is no dpkg, a program of that name is as good.
 */
export const osPackage: Kind<PackageResource> = {
  kind: 'package',
  id: ({ names }) => names.join(' '),
  prelude: sh`
look_packages() { # NOTE NAME...
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
  query: ({ names }) => sh`look_packages ${noteOf(names)} ${names}`,
  parse(output, { names }) {
    const lines = output.split('\n').map((line) => line.split(/ +/));
    const said = (word: string) => lines.find(([first]) => first === word)?.[1] ?? '';
    const packages = names.map((name) => [name, stateOf(lines.slice(2).find(([, of]) => of === name))] as const);
    const found = packages.filter(([, state]) => state !== 'absent');
    const seen = { touched: said('touched'), installation: said('installation'), ...Object.fromEntries(found) };
    return found.length === 0 && seen.touched === 'no' && seen.installation === 'whole' ? undefined : seen;
  },
  desired: ({ names }) => ({ ...Object.fromEntries(names.map((name) => [name, 'installed'])), installation: 'whole' }),
  apply: ({ names, repository }) => [
    step(install(names, repository.packedSize), [{ file: repository.file, size: repository.packedSize }]),
  ],
  remove: ({ names }, seen) => (seen.touched === 'yes' || seen.installation !== 'whole' ? [step(remove(names))] : []),
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
