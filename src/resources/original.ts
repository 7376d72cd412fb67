import { raw, type Script, sh } from '../hosts/shell.js';
import type { State } from './resource.js';

/**
 * Shell that saves the original of a path, that is what lay there before kbs first changed it, under /var/lib/kbs/before
 * until `restoreOriginal`: NAME.was is a copy of it; NAME.none says that nothing was there, and lists the parent directories
 * that kbs created. Without either, kbs never changed the path, and must not remove what is there. `keep` is shell that
 * writes NAME.new, the copy; `besides` is shell that saves more about the former state.
 */
export const saveOriginal = (path: string, keep = copy(path), besides = sh`:`): Script => {
  const original = recordPath(path);
  return sh`if [ ! -e ${original}.was ] && [ ! -L ${original}.was ] && [ ! -e ${original}.none ]; then
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
    mv -fT ${original}.new ${original}.was
  else
    printf %s "$missing" > ${original}.none
  fi
fi`;
};

/** Shell that restores the original of a path, or removes what kbs created there and parent directories that are empty now. */
export const restoreOriginal = (
  path: string,
  { restore = putBack(path), remove = sh`rm -f ${path}` }: { restore?: Script; remove?: Script } = {},
): Script => {
  const original = recordPath(path);
  return sh`if [ -e ${original}.was ] || [ -L ${original}.was ]; then
  ${raw(restore)}
  rm -f ${original}.was
elif [ -e ${original}.none ]; then
  ${raw(remove)}
  if [ -e ${original}.none ]; then
    ${raw(removeMarker(original))}
  fi
fi
rmdir ${store} ${home} 2>/dev/null || :`;
};

/** Shell: deletes the marker of a path where nothing was, and empty directories that kbs made above it. The path stays. */
export const forgetMissing = (path: string): Script => {
  const original = recordPath(path);
  return sh`if [ -e ${original}.none ]; then
  ${raw(removeMarker(original))}
fi
rmdir ${store} ${home} 2>/dev/null || :`;
};

/** A shell test that succeeds if kbs changed this path and has not restored its original. */
export const isManaged = (path: string): Script => {
  const original = recordPath(path);
  return sh`{ [ -e ${original}.was ] || [ -L ${original}.was ] || [ -e ${original}.none ]; }`;
};

/**
 * Shell functions for preludes; ORIGINAL is `recordPath` of a path. `touched ORIGINAL` prints whether kbs changed the path,
 * as `yes` or `no`. `nothing ORIGINAL` is for a path where nothing is: it prints nothing if kbs never changed it, else
 * `gone`, or `gone,original` if a copy of the original is saved.
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

/** The state of a missing path, from the output of `nothing`. Also for a file that was deleted by hand there is an original to restore. */
export const stateOfMissing = (output: string): State | undefined => {
  const [word, original] = output.trim().split(',');
  if (word !== 'gone') return undefined;
  return original === undefined ? { touched: 'yes' } : { touched: 'yes', original: 'kept' };
};

/** The claim on a path, which resources of several kinds may have. */
export const ownedPath = (path: string): string => `path ${path}`;

/** Whether an id from a record is a path. */
export const isPath = (id: string): boolean => id.startsWith('/') && !id.endsWith('/');

/** The path of a path's saved original, without `.was` or `.none`. */
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

const removeMarker = (original: string): Script =>
  sh`while read -r made; do rmdir "$made" 2>/dev/null || :; done < ${original}.none
    rm -f ${original}.none`;
const copy = (path: string): Script => sh`cp -aT ${path} ${`${recordPath(path)}.new`}`;
const putBack = (path: string): Script =>
  sh`[ -d ${parentOf(path)} ] || mkdir -p ${parentOf(path)}
  cp -aT ${`${recordPath(path)}.was`} ${temporaryPath(path)}; mv -fT ${temporaryPath(path)} ${path}`;
