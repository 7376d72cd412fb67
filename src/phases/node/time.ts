import type { TimeDaemon } from '../../hosts/facts/facts.js';
import { joined, lines, type Script, sh } from '../../hosts/shell.js';
import type { FileResource, Resource, TaskResource } from '../../resources/resource.js';
import { fingerprint } from '../fingerprint.js';
import type { Phase } from '../phase.js';

/**
 * The time servers of the inventory, asked by the daemon that is installed there. Where the inventory names none any more,
 * pruning restores the former settings. The clock of a container is that of the machine around it.
 */
export const time: Phase = {
  name: 'time',
  ensures: 'the clock is kept in step with the time servers of the inventory',
  appliesTo: () => true,
  resources({ name, timeServers }, { facts }) {
    const { system, machine } = facts(name);
    if (timeServers === undefined || machine?.kind === 'container') return [];
    return settingsOf(system?.timeDaemon ?? { program: 'timesyncd' }, timeServers);
  },
  prunes: { of: ['time'] },
};

const settingsOf = (daemon: TimeDaemon, servers: readonly string[]): readonly Resource[] => {
  switch (daemon.program) {
    case 'timesyncd':
      // NTP= of timesyncd.conf(5) takes the place of the servers that the distribution has compiled in.
      return asked('systemd-timesyncd.service', [
        file('/etc/systemd/timesyncd.conf.d/50-kbs.conf', `[Time]\nNTP=${servers.join(' ')}\n`),
      ]);
    case 'chrony': {
      const { unit, settings, folder } = daemon;
      const own = file(
        `${folder ?? ownFolder}/50-kbs.conf`,
        servers.map((server) => `server ${server} iburst prefer\n`).join(''),
      );
      return [...(folder === undefined ? [readsFolder(settings)] : []), ...asked(unit, [own])];
    }
    case 'none':
      return [];
  }
};

const file = (path: string, content: string): FileResource => ({
  kind: 'file',
  path,
  mode: '0644',
  content: `# Written by kbs: the time servers of the inventory.\n${content}`,
});

const ownFolder = '/etc/chrony.d';

/** chrony.conf(5) takes a comment as a line of its own only. */
const readsFolder = (settings: string): TaskResource => ({
  kind: 'task',
  name: `chrony reads ${ownFolder}`,
  check: sh`grep -qx ${`confdir ${ownFolder}`} ${settings}`,
  run: sh`if [ -n "$(tail -c 1 ${settings})" ]; then echo >> ${settings}; fi
printf '%s\\n%s\\n' '# Written by kbs: where it puts its time servers.' ${`confdir ${ownFolder}`} >> ${settings}`,
  undo: sh`sed -i '/^# Written by kbs/,+1d' ${settings}`,
});

/**
 * That the unit runs, also after a reboot, and was started with these settings: a drop-in puts their digest into its
 * environment, so the running process testifies.
 */
const asked = (unit: string, settings: readonly FileResource[]): readonly Resource[] => {
  const digest = fingerprint(settings);
  const dropIn = file(`/etc/systemd/system/${unit}.d/50-kbs.conf`, `[Service]\nEnvironment=KBS_TIME=${digest}\n`);
  const restart = sh`systemctl daemon-reload; systemctl restart ${unit}`;
  const runs = sh`systemctl -q is-active ${unit} && systemctl -q is-enabled ${unit}`;
  return [
    {
      kind: 'task',
      name: `${unit} keeps the clock`,
      check: runs,
      run: sh`systemctl -q enable --now ${unit}`,
      undo: sh`systemctl -q disable --now ${unit}`,
    },
    ...settings,
    dropIn,
    {
      kind: 'task',
      name: `${unit} asks the time servers`,
      check: startedWith(unit, digest),
      run: restart,
      undo: lines(joined([sh`rm -f`, ...[...settings, dropIn].map(({ path }) => sh`${path}`)], ' '), restart),
    },
  ];
};

const startedWith = (unit: string, digest: string): Script =>
  sh`kbs_pid=$(systemctl show -p MainPID --value ${unit}) && [ "$kbs_pid" -gt 0 ] &&
tr '\\0' '\\n' < "/proc/$kbs_pid/environ" | grep -qx ${`KBS_TIME=${digest}`}`;
