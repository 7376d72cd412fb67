import { raw, type Script, sh } from '../hosts/shell.js';

/**
 * Shell: replaces the text of a file that is not kbs's alone by what `filter` (a command, stdin to stdout) makes of it.
 * Mode and owner stay. By a rename, so that no reader sees half of it; where the file is a mount point, which cannot be
 * renamed over, in place.
 */
export const rewrite = (path: string, filter: Script): Script =>
  sh`target=$(readlink -f ${path})
[ -e "$target" ] || : > "$target"
${raw(filter)} < "$target" > "$target.kbs-new"
chown --reference="$target" "$target.kbs-new"; chmod --reference="$target" "$target.kbs-new"
if ! mv -fT "$target.kbs-new" "$target" 2>/dev/null; then
  cat "$target.kbs-new" > "$target"
  rm -f "$target.kbs-new"
fi`;
