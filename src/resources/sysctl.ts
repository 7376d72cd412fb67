import { lines, raw, sh } from '../hosts/shell.js';
import { managed, recordPath, restoreOriginal, saveOriginal, stateOfMissing, temporaryPath } from './original.js';
import type { Kind, SysctlResource } from './resource.js';
import { step } from './resource.js';

/** A kernel setting: its live value, and the file that sets it again at boot. Absent where the kernel has no such setting. */
export const sysctl: Kind<SysctlResource> = {
  kind: 'sysctl',
  id: (resource) => resource.name,
  prelude: sh`${raw(managed)}
look_sysctl() { # LIVE FILE NOTE
  if [ ! -r "$1" ]; then nothing "$3"; return 0; fi
  touched "$3"
  cat "$1"
  if [ -f "$2" ]; then cat "$2"; fi
}`,
  query: (resource) => sh`look_sysctl ${live(resource)} ${atBoot(resource)} ${recordPath(live(resource))}`,
  parse(output, resource) {
    const [byKbs = '', value, ...settings] = output.split('\n');
    if (value === undefined) return stateOfMissing(byKbs);
    const setting = settings.map((line) => line.split('=')).find(([name]) => name?.trim() === resource.name);
    return { value: words(value), boot: setting?.[1] === undefined ? 'not set' : words(setting[1]), touched: byKbs };
  },
  desired: (resource) => ({ value: words(resource.value), boot: words(resource.value) }),
  apply(resource) {
    const beside = temporaryPath(atBoot(resource));
    return [
      step(
        lines(
          saveOriginal(live(resource), sh`cat ${live(resource)} > ${recordPath(live(resource))}.new`),
          sh`mkdir -p /etc/sysctl.d`,
          sh`printf '%s\\n' '# Written by kbs.' ${`${resource.name} = ${words(resource.value)}`} > ${beside}`,
          sh`mv -fT ${beside} ${atBoot(resource)}`,
          sh`printf '%s\\n' ${words(resource.value)} > ${live(resource)}`,
        ),
      ),
    ];
  },
  remove: (resource, seen) =>
    seen.touched === 'yes'
      ? [
          step(
            lines(
              sh`rm -f ${atBoot(resource)}`,
              // Without its module the kernel has no such setting; what the kernel has, nobody can remove.
              restoreOriginal(live(resource), {
                restore: sh`[ ! -e ${live(resource)} ] || cat ${recordPath(live(resource))}.was > ${live(resource)}`,
                remove: sh`:`,
              }),
            ),
          ),
        ]
      : [],
};

/** sysctl.d(5): where the first separator is a dot, dots and slashes change places. */
const live = ({ name }: SysctlResource): string => {
  const slashed = /^[^./]*\./.test(name)
    ? name.replaceAll(/[./]/g, (separator) => (separator === '.' ? '/' : '.'))
    : name;
  return `/proc/sys/${slashed}`;
};

/** Of files that set the same, the last by name counts (sysctl.d(5)), and `99-sysctl.conf` is /etc/sysctl.conf. */
const atBoot = ({ name }: SysctlResource): string => `/etc/sysctl.d/zz-kbs-${name.replaceAll('/', '-')}.conf`;

/** The kernel separates the numbers of one setting by tabs. */
const words = (value: string): string => value.trim().replaceAll(/\s+/g, ' ');
