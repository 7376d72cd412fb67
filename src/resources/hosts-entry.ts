import { sh } from '../hosts/shell.js';
import type { HostsEntryResource, Kind } from './resource.js';
import { step } from './resource.js';
import { rewrite } from './rewrite.js';

/**
 * One line of /etc/hosts, marked `# kbs` and known by its first name. Lines without the mark are never touched, and a
 * line of kbs's is changed where it stands.
 */
export const hostsEntry: Kind<HostsEntryResource> = {
  kind: 'hosts-entry',
  id: nameOf,
  look: (resource) =>
    sh`if [ -r /etc/hosts ]; then awk -v name=${nameOf(resource)} ${`${ours} { print }`} /etc/hosts; fi`,
  see(output) {
    const lines = output.split('\n').filter((line) => line !== '');
    if (lines.length === 0) return undefined;
    return { line: lines.map((line) => line.trim().replaceAll(/\s+/g, ' ')).join('\n') };
  },
  want: (resource) => ({ line: lineOf(resource) }),
  make: (resource) => [
    step(rewrite('/etc/hosts', sh`awk -v name=${nameOf(resource)} -v line=${lineOf(resource)} ${put}`)),
  ],
  unmake: (resource) => [step(rewrite('/etc/hosts', sh`awk -v name=${nameOf(resource)} ${`!(${ours})`}`))],
};

const ours = '/#[ \\t]*kbs[ \\t]*$/ && $2 == name';

const put = `${ours} { if (!done) print line; done = 1; next }
{ print }
END { if (!done) print line }`;

const lineOf = (resource: HostsEntryResource): string => `${[resource.address, ...resource.names].join(' ')} # kbs`;

function nameOf(resource: HostsEntryResource): string {
  return resource.names[0] ?? resource.address;
}
