import { sh } from '../shell.js';

/**
 * Shell that sets `manager` to the package manager that keeps the packages of this host: `apt`, `dnf`, or `none` of those.
 * dpkg may be there beside rpm without any package of its own; an ostree takes packages in a way of its own.
 */
export const findManager = sh`manager=none
if dpkg-query -W dpkg >/dev/null 2>&1; then
  if command -v apt-get >/dev/null; then manager=apt; fi
elif [ ! -e /run/ostree-booted ] && command -v dnf >/dev/null && command -v rpm >/dev/null; then
  manager=dnf
fi`;
