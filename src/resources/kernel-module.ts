import { raw, type Script, sh } from '../hosts/shell.js';
import type { KernelModuleResource, Kind } from './resource.js';
import { step } from './resource.js';

/**
 * A kernel feature, now and after a reboot. Where the kernel has a module of that name it is named for the boot, also
 * while the feature is there without it or something else has loaded it. Where it has none, the feature is built in and
 * nothing is written: systemd-modules-load fails at boot for a module that the kernel does not know as one.
 */
export const kernelModule: Kind<KernelModuleResource> = {
  kind: 'kernel-module',
  id: (resource) => resource.name,
  query: (resource) =>
    sh`there=no built_in=no listed=no
if ( ${raw(resource.check)} ) >/dev/null 2>&1 </dev/null; then there=yes; fi
if [ "$there" = yes ] && ! { ${raw(isModule(resource))}; }; then built_in=yes; fi
if [ -e ${atBoot(resource)} ]; then listed=yes; fi
echo "$there $built_in $listed"`,
  parse(output) {
    const [there = '', builtIn = '', listed = ''] = output.trim().split(' ');
    if (there !== 'yes' && listed !== 'yes') return undefined;
    return { there, boot: builtIn === 'yes' || listed === 'yes' ? 'yes' : 'no', listed };
  },
  desired: () => ({ there: 'yes', boot: 'yes' }),
  apply(resource) {
    const { name } = resource;
    const evidence = raw(resource.check);
    return [
      step(
        sh`if ! ( ${evidence} ) >/dev/null 2>&1 </dev/null; then
  modprobe ${name} </dev/null
  if ! ( ${evidence} ) >/dev/null 2>&1 </dev/null; then
    echo "modprobe" ${name} "succeeded, but the kernel still lacks the feature" >&2
    exit 1
  fi
fi
if ${raw(isModule(resource))}; then
  mkdir -p /etc/modules-load.d
  printf '%s\\n' '# Written by kbs.' ${name} > ${atBoot(resource)}
fi`,
      ),
    ];
  },
  /** The module stays loaded until the next boot: other things may use it by now. */
  remove: (resource, seen) => (seen.listed === 'yes' ? [step(sh`rm -f ${atBoot(resource)}`)] : []),
  record: { write: () => ({}), read: (id) => ({ kind: 'kernel-module', name: id, check: sh`false` }) },
};

/** What was loaded as a module has a state; what could be is in the kernel's list, where - and _ are the same (depmod(8)). */
const isModule = ({ name }: KernelModuleResource): Script =>
  sh`[ -e ${`/sys/module/${name.replaceAll('-', '_')}/initstate`} ] ||
  grep -qs ${`/${name.replaceAll(/[-_]/g, '[-_]')}.ko`} "/lib/modules/$(uname -r)/modules.dep"`;
const atBoot = ({ name }: KernelModuleResource): string => `/etc/modules-load.d/kbs-${name}.conf`;
