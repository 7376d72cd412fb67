import { type Script, sh } from '../hosts/shell.js';
import type { HostsEntryResource, Kind, State } from './resource.js';
import { step } from './resource.js';
import { rewrite } from './rewrite.js';

/**
 * One line of /etc/hosts, marked `# kbs` and known by its first name. Lines without the mark are never touched, and a
 * line of kbs's is changed where it stands.
 *
 * Where cloud-init is told to manage /etc/hosts it writes the file anew at every boot, from its distribution's template
 * (https://docs.cloud-init.io/en/latest/reference/modules.html#update-etc-hosts). So every template there has it too.
 */
export const hostsEntry: Kind<HostsEntryResource> = {
  kind: 'hosts-entry',
  id: nameOf,
  prelude: sh`
look_hosts() { # NAME AWK
  for file in /etc/hosts /etc/cloud/templates/hosts.*.tmpl; do
    if [ -e "$file" ]; then echo "in $file"; awk -v name="$1" "$2" "$file"
    elif [ "$file" = /etc/hosts ]; then echo "in $file"
    fi
  done
}`,
  query: (resource) => sh`look_hosts ${nameOf(resource)} ${`${ours} { print }`}`,
  parse(output) {
    const files = output
      .split(/^in /m)
      .slice(1)
      .map((part) => {
        const [file = '', ...lines] = part
          .trim()
          .split('\n')
          .map((line) => line.trim().replaceAll(/\s+/g, ' '));
        return { file, text: lines.join('\n') };
      });
    if (files.length === 0) return undefined;
    const all = { files: files.map(({ file }) => file).join('\n') };
    if (files.every(({ text }) => text === '')) return all;
    return { ...all, line: [...new Set(files.map(({ file, text }) => text || `not in ${file}`))].join('\n') };
  },
  desired: (resource) => ({ line: lineOf(resource) }),
  apply: (resource, seen) => inEach(seen, sh`awk -v name=${nameOf(resource)} -v line=${lineOf(resource)} ${put}`),
  remove: (resource, seen) =>
    seen.line === undefined ? [] : inEach(seen, sh`awk -v name=${nameOf(resource)} ${`!(${ours})`}`),
};

const inEach = (seen: State | undefined, filter: Script) =>
  (seen?.files ?? '/etc/hosts').split('\n').map((file) => step(rewrite(file, filter)));

const ours = '/#[ \\t]*kbs[ \\t]*$/ && $2 == name';

const put = `${ours} { if (!done) print line; done = 1; next }
{ print }
END { if (!done) print line }`;

const lineOf = (resource: HostsEntryResource): string => `${[resource.address, ...resource.names].join(' ')} # kbs`;

function nameOf(resource: HostsEntryResource): string {
  return resource.names[0] ?? resource.address;
}
