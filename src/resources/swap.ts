import { lines, type Script, sh } from '../hosts/shell.js';
import { escapePath, restoreOriginal, saveOriginal } from './original.js';
import type { Kind, State, Step, SwapResource } from './resource.js';
import { step } from './resource.js';
import { rewrite } from './rewrite.js';

/**
 * No swap: none in use, and none that would come at boot, by a line of /etc/fstab, by a unit of type swap, which a package
 * or a generator makes (systemd-gpt-auto-generator(8) does for a partition, zram-generator(8) for compressed swap), or by a
 * service that makes swap in a file or in memory. `apply` comments lines of fstab out with `#kbs# `, and masks units;
 * `remove` restores them, and so does `apply` of swap that is to be as it was found.
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
fi
# In their order: a unit in an earlier folder takes the place of its namesakes, and an empty one masks them (systemd.unit(5)).
folders='/etc/systemd/system /run/systemd/system /run/systemd/generator /usr/local/lib/systemd/system /usr/lib/systemd/system /lib/systemd/system /run/systemd/generator.late'
for folder in $folders; do
  for link in $folder/*.wants/*.swap $folder/*.requires/*.swap; do
    if [ -e "$link" ] || [ -L "$link" ]; then printf '%s\\n' "\${link##*/}"; fi
  done
  for service in ${services}; do
    for link in $folder/*.wants/$service; do
      if [ -e "$link" ] || [ -L "$link" ]; then printf '%s\\n' $service; fi
    done
  done
done | sort -u | while read -r unit; do
  for folder in $folders; do
    if [ -e "$folder/$unit" ]; then
      if [ -s "$folder/$unit" ] && ! grep -q '^SourcePath=/etc/fstab' "$folder/$unit"; then printf 'unit %s\\n' "$unit"; fi
      break
    fi
  done
done
for saved in /var/lib/kbs/before/${savedUnits}*.swap.* /var/lib/kbs/before/${savedUnits}*.service.*; do
  if [ -e "$saved" ] || [ -L "$saved" ]; then printf 'saved %s\\n' "\${saved##*/}"; fi
done`,
  parse(output) {
    const lines = output.split('\n').map((line) => line.split(' '));
    const named = (word: string) => lines.filter(([first]) => first === word).flatMap(([, value]) => value ?? []);
    return {
      now: named('now').join(' ') || 'off',
      boot: named('boot').join(' ') || 'off',
      units: named('unit').join(' ') || 'off',
      disabled: String(named('disabled').length),
      masked: named('saved').flatMap(unitOf).join(' '),
    };
  },
  desired: ({ state }) => (state === 'off' ? { now: 'off', boot: 'off', units: 'off' } : { disabled: '0', masked: '' }),
  apply({ state }, seen) {
    if (state === 'as-found') return restored(seen);
    const off = [...stop(unitsIn(seen, 'units')), ...(seen?.now === 'off' ? [] : [sh`swapoff -a`])];
    const commentOut = sh`sed -E 's/^[[:blank:]]*[^#[:blank:]]+[[:blank:]]+[^[:blank:]]+[[:blank:]]+swap([[:blank:]]|$)/#kbs# &/'`;
    const boot = seen?.boot === 'off' ? [] : [rewrite('/etc/fstab', commentOut)];
    const masks = unitsIn(seen, 'units').map((unit) =>
      lines(saveOriginal(pathOf(unit)), sh`mkdir -p ${unitFolder}; ln -sfT /dev/null ${pathOf(unit)}`),
    );
    return [step(lines(...off, ...boot, ...masks, ...(boot.length + masks.length > 0 ? [reload] : [])))];
  },
  remove: ({ state }, seen) => (state === 'off' ? restored(seen) : []),
  record: {
    write: () => ({}),
    read: (id) => (id === 'off' || id === 'as-found' ? { kind: 'swap', state: id } : undefined),
  },
  // One of the two takes the place of the other.
  owns: () => ['swap'],
};

/** What kbs has switched off, on again. */
const restored = (seen: State | undefined): readonly Step[] => {
  const units = unitsIn(seen, 'masked');
  const isInFstab = seen?.disabled !== '0';
  if (!isInFstab && units.length === 0) return [];
  return [
    step(
      lines(
        ...(isInFstab ? [rewrite('/etc/fstab', sh`sed 's/^#kbs# //'`)] : []),
        ...units.map((unit) => restoreOriginal(pathOf(unit))),
        reload,
        ...(isInFstab ? [sh`swapon -a`] : []),
        ...(units.length === 0 ? [] : [start(units)]),
      ),
    ),
  ];
};

const unitFolder = '/etc/systemd/system';
const pathOf = (unit: string): string => `${unitFolder}/${unit}`;

/** How the names of saved originals of units begin. */
const savedUnits = escapePath(pathOf(''));

/** The unit of `etc-systemd-system-dev\x2dsda3.swap.none`; originals of units that are no swap are others' to restore. */
const unitOf = (saved: string): readonly string[] => {
  const [, escaped = ''] = new RegExp(`^${savedUnits}(.*)\\.(?:was|none)$`).exec(saved) ?? [];
  const unit = escaped.replaceAll(/\\x([0-9a-f]{2})/g, (_, code: string) =>
    String.fromCodePoint(Number.parseInt(code, 16)),
  );
  return unit.endsWith('.swap') || services.includes(unit) ? [unit] : [];
};

/** They make swap at boot: in a file, or compressed in memory (zram-tools, zram-config). */
const services: readonly string[] = [
  'dphys-swapfile.service',
  'swapspace.service',
  'zramswap.service',
  'zram-config.service',
];

const unitsIn = (seen: State | undefined, key: 'units' | 'masked'): readonly string[] =>
  (seen?.[key] ?? '').split(' ').filter((unit) => unit !== '' && unit !== 'off');

/** systemd generates swap units from fstab, and would start them again. */
const reload = sh`if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi`;

/** A service that still counts as started would not be started again by `remove`. */
const stop = (units: readonly string[]): readonly Script[] => {
  const active = units.filter((unit) => services.includes(unit));
  return active.length === 0
    ? []
    : [sh`if [ -d /run/systemd/system ]; then systemctl stop ${active} </dev/null || :; fi`];
};

/** Not waited for: systemd gives a device that is gone a minute and a half to come. */
const start = (units: readonly string[]) =>
  sh`if [ -d /run/systemd/system ]; then systemctl start --no-block ${units} || :; fi`;
