import { lines, sh } from '../hosts/shell.js';
import type { Kind, SwapResource } from './resource.js';
import { step } from './resource.js';
import { rewrite } from './rewrite.js';

/**
 * No swap: none in use, and none that /etc/fstab would enable at boot. `apply` comments lines of fstab out with `#kbs# `;
 * `remove` restores them.
 */
export const swap: Kind<SwapResource> = {
  kind: 'swap',
  id: (resource) => resource.state,
  query: () =>
    sh`while read -r device type _; do
  if [ "$type" != Type ]; then echo "now $device"; fi
done < /proc/swaps
if [ -r /etc/fstab ]; then
  # The last line may have no end.
  while read -r device _ type _ || [ -n "$device" ]; do
    case "$device $type" in
      "#kbs# "*) echo "disabled $type" ;;
      "#"*) ;;
      *" swap") echo "boot $device" ;;
    esac
  done < /etc/fstab
fi`,
  parse(output) {
    const lines = output.split('\n').map((line) => line.split(' '));
    const named = (word: string) => lines.filter(([first]) => first === word).map(([, device]) => device);
    return {
      now: named('now').join(' ') || 'off',
      boot: named('boot').join(' ') || 'off',
      disabled: String(named('disabled').length),
    };
  },
  desired: () => ({ now: 'off', boot: 'off' }),
  apply(_resource, seen) {
    const off = seen?.now === 'off' ? [] : [sh`swapoff -a`];
    const commentOut = sh`sed -E 's/^[[:blank:]]*[^#[:blank:]]+[[:blank:]]+[^[:blank:]]+[[:blank:]]+swap([[:blank:]]|$)/#kbs# &/'`;
    const boot = seen?.boot === 'off' ? [] : [rewrite('/etc/fstab', commentOut), reload];
    return [step(lines(...off, ...boot))];
  },
  remove: (_resource, seen) =>
    seen.disabled === '0' ? [] : [step(lines(rewrite('/etc/fstab', sh`sed 's/^#kbs# //'`), reload, sh`swapon -a`))],
  record: { write: () => ({}), read: (id) => (id === 'off' ? { kind: 'swap', state: id } : undefined) },
};

/** systemd generates swap units from fstab, and would start them again. */
const reload = sh`if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi`;
