import { raw, type Script, sh } from '../hosts/shell.js';
import type { State } from './resource.js';

/**
 * What lay at a path before kbs first touched it. A note under /var/lib/kbs/before remembers it until `giveBack`:
 * NAME.was holds what was there, NAME.none says that nothing was, and lists the directories that kbs made on the way.
 * No note means that kbs never touched the path, and so that nothing there is kbs's to remove. `besides` is shell that
 * keeps what else is to be known of the state before.
 */
export const saveOriginal = (path: string, keep = copy(path), besides = sh`:`): Script => {
  const note = recordPath(path);
  return sh`if [ ! -e ${note}.was ] && [ ! -L ${note}.was ] && [ ! -e ${note}.none ]; then
  missing= above=${parentOf(path)}
  while [ -n "$above" ] && [ ! -d "$above" ]; do
    missing="$missing$above
" above="\${above%/*}"
  done
  if [ -e ${path} ] || [ -L ${path} ]; then found=yes; else found=no; fi
  [ -d ${store} ] || mkdir -p -m 0700 ${store}
  ${raw(besides)}
  if [ "$found" = yes ]; then
    ${raw(keep)}
    mv -fT ${note}.new ${note}.was
  else
    printf %s "$missing" > ${note}.none
  fi
fi`;
};

/** Shell: puts back what was there, or removes what kbs made, with the directories on the way that are empty now. */
export const restoreOriginal = (
  path: string,
  { restore = putBack(path), remove = sh`rm -f ${path}` }: { restore?: Script; remove?: Script } = {},
): Script => {
  const note = recordPath(path);
  return sh`if [ -e ${note}.was ] || [ -L ${note}.was ]; then
  ${raw(restore)}
  rm -f ${note}.was
elif [ -e ${note}.none ]; then
  ${raw(remove)}
  if [ -e ${note}.none ]; then
    ${raw(removeNote(note))}
  fi
fi
rmdir ${store} ${home} 2>/dev/null || :`;
};

/** Shell: clears the note of a path where nothing was, with the empty directories on the way. What is there now stays. */
export const forgetMissing = (path: string): Script => {
  const note = recordPath(path);
  return sh`if [ -e ${note}.none ]; then
  ${raw(removeNote(note))}
fi
rmdir ${store} ${home} 2>/dev/null || :`;
};

/** A shell test: kbs touched this path and has not given it back. */
export const isManaged = (path: string): Script => {
  const note = recordPath(path);
  return sh`{ [ -e ${note}.was ] || [ -L ${note}.was ] || [ -e ${note}.none ]; }`;
};

/**
 * Shell functions for preludes. `touched NOTE` prints whether kbs touched the path of this note, as `yes` or `no`;
 * `nothing NOTE` answers for a path where nothing is: not a word, or that kbs's thing is gone, and whether an original
 * is kept.
 */
export const managed = sh`
touched() {
  if [ -e "$1.was" ] || [ -L "$1.was" ] || [ -e "$1.none" ]; then echo yes; else echo no; fi
}
nothing() {
  if [ -e "$1.was" ] || [ -L "$1.was" ]; then echo gone,original
  elif [ -e "$1.none" ]; then echo gone
  fi
}`;

/** What is seen by the output of `nothing`: what a person has deleted is still kbs's to undo. */
export const stateOfMissing = (output: string): State | undefined => {
  const [word, original] = output.trim().split(',');
  if (word !== 'gone') return undefined;
  return original === undefined ? { touched: 'yes' } : { touched: 'yes', original: 'kept' };
};

/** What else a path may be known as: resources of several kinds may stand for one. */
export const pathClaim = (path: string): string => `path ${path}`;

/** An id from a record that is a path indeed. */
export const isPath = (id: string): boolean => id.startsWith('/') && !id.endsWith('/');

/** Where the note of a path lies, without its suffix. */
export const recordPath = (path: string): string => `${store}/${escapePath(path)}`;

/** A path as one file name, as `systemd-escape --path` writes it. */
export const escapePath = (path: string): string =>
  path
    .slice(1)
    .replaceAll(/[^A-Za-z0-9_.:/]/gu, (character) =>
      [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
    )
    .replaceAll('/', '-');

/**
 * Where a file is written before it is renamed to its path. Hidden: programs that watch a folder of settings skip such
 * names over, and the kubelet would take anything else in its folder of manifests for one more pod.
 */
export const temporaryPath = (path: string): string => {
  const name = path.lastIndexOf('/') + 1;
  return `${path.slice(0, name)}.${path.slice(name)}.kbs-new`;
};

export const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';

const home = '/var/lib/kbs';
const store = `${home}/before`;

const removeNote = (note: string): Script =>
  sh`while read -r made; do rmdir "$made" 2>/dev/null || :; done < ${note}.none
    rm -f ${note}.none`;
const copy = (path: string): Script => sh`cp -aT ${path} ${`${recordPath(path)}.new`}`;
const putBack = (path: string): Script =>
  sh`[ -d ${parentOf(path)} ] || mkdir -p ${parentOf(path)}
  cp -aT ${`${recordPath(path)}.was`} ${temporaryPath(path)}; mv -fT ${temporaryPath(path)} ${path}`;
