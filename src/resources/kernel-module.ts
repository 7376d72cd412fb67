import { raw, sh } from '../hosts/shell.js';
import type { KernelModuleResource, Kind } from './resource.js';
import { step } from './resource.js';

/**
 * A kernel feature, now and after a reboot. Where it is built in nothing is loaded and nothing is written:
 * systemd-modules-load fails at boot for a module that the kernel does not know as one.
 */
export const kernelModule: Kind<KernelModuleResource> = {
  kind: 'kernel-module',
  id: (resource) => resource.name,
  query: (resource) =>
    sh`there=no built_in=no listed=no
if ( ${raw(resource.check)} ) >/dev/null 2>&1 </dev/null; then there=yes; fi
if [ "$there" = yes ] && [ ! -e ${loadable(resource)} ]; then built_in=yes; fi
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
if [ -e ${loadable(resource)} ]; then
  mkdir -p /etc/modules-load.d
  printf '%s\\n' '# Written by kbs.' ${name} > ${atBoot(resource)}
fi`,
      ),
    ];
  },
  /** The module stays loaded until the next boot: other things may use it by now. */
  remove: (resource, seen) => (seen.listed === 'yes' ? [step(sh`rm -f ${atBoot(resource)}`)] : []),
};

/** Exists for what was loaded as a module, and not for what is built in. */
const loadable = ({ name }: KernelModuleResource): string => `/sys/module/${name.replaceAll('-', '_')}/initstate`;
const atBoot = ({ name }: KernelModuleResource): string => `/etc/modules-load.d/kbs-${name}.conf`;
