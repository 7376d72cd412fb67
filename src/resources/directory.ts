import { lines, raw, type Script, sh } from '../hosts/shell.js';
import {
  isPath,
  managed,
  ownedPath,
  parentOf,
  recordPath,
  restoreOriginal,
  saveOriginal,
  stateOfMissing,
} from './original.js';
import type { DirectoryResource, Kind } from './resource.js';
import { step } from './resource.js';

/**
 * A directory's mode and owner, without its contents. A link to a directory counts as one, so that an
 * administrator may put the directory on another disk.
 *
 * The modes given to chmod have five digits: with four it leaves a directory's set-id bits as they are.
 *
 * A directory that kbs made is removed with all that is in it, but never across a mount. Where a disk was mounted on the
 * directory itself since, what the cluster's programs wrote lies on that disk: it is emptied, down to its lost+found, and
 * stays mounted. A shared directory goes only if it is empty. One that was there before kbs gets its mode and owner back.
 */
export const directory: Kind<DirectoryResource> = {
  kind: 'directory',
  id: (resource) => resource.path,
  prelude: sh`${raw(managed)}
look_directory() { # PATH NOTE
  if [ -d "$1" ]; then stat -L -c "directory %a %U:%G $(touched "$2")" "$1"
  elif [ -e "$1" ] || [ -L "$1" ]; then echo "other - - $(touched "$2")"
  else nothing "$2"
  fi
}`,
  query: (resource) => sh`look_directory ${resource.path} ${recordPath(resource.path)}`,
  parse(output) {
    const [type = '', mode, owner = '', byKbs = ''] = output.trim().split(' ');
    if (mode === undefined) return stateOfMissing(output);
    if (type === 'other') return { type: 'not a directory', touched: byKbs };
    return { type, mode: mode.padStart(4, '0'), owner, touched: byKbs };
  },
  desired: (resource) => ({ type: 'directory', mode: resource.mode, owner: ownerOf(resource) }),
  apply: (resource) => [
    step(
      lines(
        saveOriginal(resource.path, sh`stat -L -c '%a %u:%g' ${resource.path} > ${recordPath(resource.path)}.new`),
        sh`[ -d ${parentOf(resource.path)} ] || mkdir -p ${parentOf(resource.path)}`,
        sh`[ -d ${resource.path} ] || mkdir -m 0700 ${resource.path}`,
        sh`chown ${ownerOf(resource)} ${resource.path}; chmod 0${resource.mode} ${resource.path}`,
      ),
    ),
  ],
  remove: (resource, seen) =>
    seen.touched === 'yes'
      ? [
          step(
            restoreOriginal(resource.path, {
              restore: sh`read -r mode owner < ${recordPath(resource.path)}.was
  if [ -d ${resource.path} ]; then chown "$owner" ${resource.path}; chmod "00$mode" ${resource.path}; fi`,
              remove: removal(resource),
            }),
          ),
        ]
      : [],
  record: {
    write: ({ shared }) => (shared ? { shared } : {}),
    read: (id, { shared }) =>
      isPath(id) ? { kind: 'directory', path: id, mode: '0755', ...(shared === true ? { shared } : {}) } : undefined,
  },
  owns: (resource) => [ownedPath(resource.path)],
};

const removal = ({ path, shared }: DirectoryResource): Script =>
  shared
    ? sh`rmdir ${path} 2>/dev/null || :`
    : sh`if [ ! -L ${path} ] && mountpoint -q ${path}; then
    find ${path} -xdev -mindepth 1 ! -path ${`${path}/lost+found*`} -delete
  else
    rm -rf --one-file-system ${path}
  fi`;

const ownerOf = (resource: DirectoryResource): string => resource.owner ?? 'root:root';
