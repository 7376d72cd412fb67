import { sh } from '../hosts/shell.js';
import { giveBack, noteOf, parentOf, remember, touched } from './before.js';
import type { DirectoryResource, Kind } from './resource.js';
import { step } from './resource.js';

/**
 * A directory's mode and owner; its contents are not looked at. A link to a directory counts as one, so that an
 * administrator may put the directory on another disk.
 *
 * The modes given to chmod have five digits: with four it leaves a directory's set-id bits as they are.
 *
 * A directory that kbs made is removed with all that is in it, but never across a mount; one that was there before
 * gets its mode and owner back.
 */
export const directory: Kind<DirectoryResource> = {
  kind: 'directory',
  id: (resource) => resource.path,
  prelude: `${touched}
look_directory() { # PATH NOTE
  if [ -d "$1" ]; then stat -L -c "directory %a %U:%G $(touched "$2")" "$1"
  elif [ -e "$1" ] || [ -L "$1" ]; then echo "other - - $(touched "$2")"
  fi
}`,
  look: (resource) => sh`look_directory ${resource.path} ${noteOf(resource.path)}`,
  see(output) {
    const [type, mode = '', owner = '', byKbs = ''] = output.trim().split(' ');
    if (!type) return undefined;
    if (type === 'other') return { type: 'not a directory', touched: byKbs };
    return { type, mode: mode.padStart(4, '0'), owner, touched: byKbs };
  },
  want: (resource) => ({ type: 'directory', mode: resource.mode, owner: ownerOf(resource) }),
  make: (resource) => [
    step(
      [
        remember(resource.path, sh`stat -L -c '%a %u:%g' ${resource.path} > ${noteOf(resource.path)}.new`),
        sh`[ -d ${parentOf(resource.path)} ] || mkdir -p ${parentOf(resource.path)}`,
        sh`[ -d ${resource.path} ] || mkdir -m 0700 ${resource.path}`,
        sh`chown ${ownerOf(resource)} ${resource.path}; chmod 0${resource.mode} ${resource.path}`,
      ].join('\n'),
    ),
  ],
  unmake: (resource, seen) =>
    seen.touched === 'yes'
      ? [
          step(
            giveBack(resource.path, {
              restore: sh`read -r mode owner < ${noteOf(resource.path)}.was
  chown "$owner" ${resource.path}; chmod "00$mode" ${resource.path}`,
              remove: sh`rm -rf --one-file-system ${resource.path}`,
            }),
          ),
        ]
      : [],
};

const ownerOf = (resource: DirectoryResource): string => resource.owner ?? 'root:root';
