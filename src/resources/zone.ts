import { type Script, sh } from '../hosts/shell.js';
import { file } from './file.js';
import { isPath, ownedPath } from './original.js';
import { type FileResource, type Kind, type State, Unknown, type ZoneResource } from './resource.js';

/**
 * A DNS zone file. Servers read a zone again when the serial of its SOA record has changed, and secondaries only when
 * it has grown (RFC 1035, 3.3.13); so what is compared is the rest, and a change of the rest raises the serial. It is
 * read on the host when the file is written, because only the host has the current one.
 */
export const zone: Kind<ZoneResource> = {
  kind: 'zone',
  id: (resource) => resource.path,
  ...(file.prelude === undefined ? {} : { prelude: file.prelude }),
  query: (resource) => file.query(textOf(resource)),
  parse(output, resource) {
    const seen = file.parse(output, textOf(resource));
    return seen instanceof Unknown || seen?.content === undefined ? seen : withoutSerial(seen);
  },
  desired: (resource) => file.desired(textOf(resource)),
  apply: (resource, seen) => file.apply({ ...textOf(resource), check: raiseSerial(resource) }, seen),
  remove: (resource, seen) => file.remove(textOf(resource), seen),
  record: {
    write: () => ({}),
    read: (id) => (isPath(id) ? { kind: 'zone', path: id, content: '', serial: 0, mode: '0644' } : undefined),
  },
  owns: (resource) => [ownedPath(resource.path)],
};

const textOf = ({ path, content, mode, owner }: ZoneResource): FileResource => ({
  kind: 'file',
  path,
  content,
  mode,
  ...(owner === undefined ? {} : { owner }),
});

const withoutSerial = (seen: State): State => ({ ...seen, content: (seen.content ?? '').replace(soa, '$1@SERIAL@') });

/** An SOA record up to its serial: the names of the primary server and of the responsible mailbox, and an optional bracket. */
const soa = /(\sSOA\s+\S+\s+\S+\s+(?:\(\s*)?)\d+/;

/**
 * Runs where the new text lies beside the old one. A text without a serial counts as 0. A link is not followed: what it
 * leads to is not a zone of kbs.
 */
const raiseSerial = ({ path, serial }: ZoneResource): Script =>
  sh`kbs_old=
if [ -f ${path} ] && [ ! -L ${path} ]; then
  kbs_old=$(tr '\\n' ' ' < ${path} | sed -n 's/^.*[[:space:]]SOA[[:space:]]\\{1,\\}[^[:space:]]\\{1,\\}[[:space:]]\\{1,\\}[^[:space:]]\\{1,\\}[[:space:](]\\{1,\\}0*\\([0-9]\\{1,10\\}\\).*$/\\1/p')
fi
kbs_serial=$(( \${kbs_old:-0} + 1 ))
if [ "$kbs_serial" -lt ${serial} ]; then kbs_serial=${serial}; fi
sed -i "s/@SERIAL@/$kbs_serial/" "$1"`;
