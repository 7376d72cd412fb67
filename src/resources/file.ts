import { lines, raw, receive, type Script, sh } from '../hosts/shell.js';
import { reveal, Secret, sha256 } from '../secret.js';
import {
  isPath,
  managed,
  ownedPath,
  parentOf,
  recordPath,
  restoreOriginal,
  saveOriginal,
  stateOfMissing,
  temporaryPath,
} from './original.js';
import type { FileResource, Kind } from './resource.js';
import { step } from './resource.js';

/**
 * A text file: content, mode and owner. Written beside and renamed, so that no reader ever sees half of it.
 * A link at the path is replaced and its target left alone; a directory at the path makes the step fail.
 */
export const file: Kind<FileResource> = {
  kind: 'file',
  id: (resource) => resource.path,
  prelude: sh`${raw(managed)}
look_file() { # PATH NOTE PRINTER
  if [ -L "$1" ]; then
    echo "link - - $(touched "$2")"
    readlink -n "$1" | base64 -w 0
  elif [ -f "$1" ]; then
    stat -c "file %a %U:%G $(touched "$2")" "$1"
    "$3" < "$1"
  elif [ -e "$1" ]; then
    stat -c "other %a %U:%G $(touched "$2")" "$1"
  else
    nothing "$2"
  fi
}
as_text() { base64 -w 0; }
as_digest() { sha256sum; }`,
  query: (resource) =>
    sh`look_file ${resource.path} ${recordPath(resource.path)} ${isSecret(resource) ? 'as_digest' : 'as_text'}`,
  parse(output, resource) {
    const [line = '', body = ''] = output.split('\n');
    const [type = '', mode, owner = '', byKbs = ''] = line.split(' ');
    if (mode === undefined) return stateOfMissing(line);
    if (type === 'link') return { type: `link to ${decoded(body)}`, touched: byKbs };
    if (type === 'other') return { type: 'not a file', touched: byKbs };
    const content = isSecret(resource) ? `sha256:${body.slice(0, 64)}` : decoded(body);
    return { type, content, mode: mode.padStart(4, '0'), owner, touched: byKbs };
  },
  desired: (resource) => ({
    type: 'file',
    content: isSecret(resource) ? `sha256:${sha256(reveal(resource.content))}` : reveal(resource.content),
    mode: resource.mode,
    owner: ownerOf(resource),
  }),
  apply(resource, seen) {
    const wanted = file.desired(resource);
    if (seen?.type === wanted.type && seen?.content === wanted.content) {
      return [step(lines(saveOriginal(resource.path), permit(resource, resource.path)))];
    }
    const bytes = Buffer.from(reveal(resource.content));
    const beside = temporaryPath(resource.path);
    return [
      step(
        lines(
          saveOriginal(resource.path),
          sh`[ -d ${parentOf(resource.path)} ] || mkdir -p ${parentOf(resource.path)}`,
          sh`rm -f ${beside}`,
          sh`( umask 077; ${raw(receive(bytes.length, beside))} )`,
          ...(resource.check === undefined ? [] : [checked(resource.check, beside)]),
          permit(resource, beside),
          sh`mv -fT ${beside} ${resource.path}`,
        ),
        [{ bytes }],
      ),
    ];
  },
  remove: (resource, seen) => (seen.touched === 'yes' ? [step(restoreOriginal(resource.path))] : []),
  record: {
    write: () => ({}),
    // Its content may be secret: as one, it is asked about by a digest.
    read: (id) => (isPath(id) ? { kind: 'file', path: id, content: new Secret(''), mode: '0600' } : undefined),
  },
  owns: (resource) => [ownedPath(resource.path)],
};

/** The program's own verdict, before the file is where it reads it. */
const checked = (check: Script, path: string): Script => sh`( set -- ${path}
${raw(check)}
) </dev/null >&2 || { rm -f ${path}; exit 1; }`;

/** The owner comes first: chown takes away set-user-id bits. */
const permit = (resource: FileResource, path: string): Script =>
  sh`chown ${ownerOf(resource)} ${path}; chmod ${resource.mode} ${path}`;

const isSecret = (resource: FileResource): boolean => resource.content instanceof Secret;
const ownerOf = (resource: FileResource): string => resource.owner ?? 'root:root';
const decoded = (base64: string): string => Buffer.from(base64, 'base64').toString();
