import type { Facts } from '../../hosts/facts/facts.js';
import { type Script, sh } from '../../hosts/shell.js';
import type { FileResource, TaskResource, UnitResource } from '../../resources/resource.js';
import { render } from '../../templates/render.js';
import { fingerprint } from '../fingerprint.js';
import { systemdQuote } from '../systemd-quote.js';
import type { Component } from './component-type.js';
import { toArguments } from './flags.js';

/**
 * A component as a hardened unit. It reads its files as credentials: systemd, as root, hands copies over to the one
 * process that is meant (systemd.exec(5), LoadCredential=), so keys stay 0600 root:root and the process needs no right
 * to them. Its flags are those of the static pod, with the places of the copies in place of the files'.
 */
export const componentUnit = (component: Component, { oomAdjustable }: Pick<Facts, 'oomAdjustable'>): UnitResource => {
  const { name, inputs, unit, writes } = component;
  const flags = toArguments(component.flags);
  return {
    kind: 'unit',
    name: `${name}.service`,
    runs: 'service',
    text: render('component.service', {
      description: unit.description,
      documentation: unit.documentation,
      after: unit.after ?? [],
      type: unit.type,
      program: programOf(name),
      flags: flags.map((flag) => asCredential(systemdQuote(flag), inputs)),
      credentials: inputs.map((input) => `${credentialOf(input)}:${input.path}`),
      user: writes.length > 0 ? name : '',
      writes,
      oomAdjustable,
    }),
    inputs: [fingerprint(inputs), unit.program],
    check: flagsAreKnown(programOf(name), flags),
  };
};

/** Kubernetes' programs and etcd parse all flags before they look at `--version`: a wrong one never goes live. */
export const flagsAreKnown = (program: string, flags: readonly string[]): Script =>
  sh`kbs_said=$(${program} ${flags} --version 2>&1) || { printf '%s\n' "$kbs_said" | tail -n 3; exit 1; }`;

/**
 * The user of a component that owns files; a component that owns none runs as a dynamic user of systemd. A user of that
 * name that existed before kbs is used as it is, and is not removed. A user that kbs created is removed with the component,
 * and its files belong to root again.
 */
export const componentUser = ({ name, writes }: Pick<Component, 'name' | 'writes'>): readonly TaskResource[] => {
  if (writes.length === 0) return [];
  const origin = `/var/lib/kbs/users/${name}`;
  return [
    {
      kind: 'task',
      name: `user ${name}`,
      check: sh`[ -e ${origin} ] && getent passwd ${name}`,
      run: sh`mkdir -p /var/lib/kbs/users
if getent passwd ${name} >/dev/null; then echo found > ${origin}; exit 0; fi
useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin ${name}
echo made > ${origin}`,
      undo: sh`for kbs_path in ${writes}; do
  [ ! -d "$kbs_path" ] || chown -R root:root "$kbs_path"
done
if [ "$(cat ${origin})" = made ]; then userdel ${name}; fi
rm -f ${origin}
rmdir /var/lib/kbs/users /var/lib/kbs 2>/dev/null || :`,
    },
  ];
};

const programOf = (name: string): string => `/usr/local/bin/${name}`;

/** A flag whose value is one of these files, with the place of its copy. */
const asCredential = (flag: string, inputs: readonly FileResource[]): string => {
  const input = inputs.find(({ path }) => flag.endsWith(`=${path}`));
  if (input === undefined) return flag;
  return `${flag.slice(0, flag.indexOf('=') + 1)}\${CREDENTIALS_DIRECTORY}/${credentialOf(input)}`;
};

/** The path below /etc/kubernetes as one name. */
const credentialOf = ({ path }: FileResource): string => path.replace(/^\/etc\/kubernetes\//, '').replaceAll('/', '-');
