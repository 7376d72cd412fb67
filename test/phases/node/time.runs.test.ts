import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseSystem, systemScript } from '../../../src/hosts/facts/system.js';
import { time } from '../../../src/phases/node/time.js';
import type { Resource } from '../../../src/resources/resource.js';
import { createWorld, type World } from '../../resources/overlay-host.js';
import { allDifferences, apply, remove } from '../../resources/reconcile.js';
import { clusterOf, hostOf } from '../../support/cluster.js';
import { lacks } from '../../support/needs.js';
import { contextOf } from '../../support/site.js';

/** systemctl of one unit, whose process is a shell with the environment of the unit's drop-ins. */
const systemctl = `#!/bin/sh
quiet=no; [ "$1" != -q ] || shift
unit=chronyd.service state=/run/units; mkdir -p $state
start() {
  stop
  env -i $(cat /etc/systemd/system/$unit.d/*.conf 2>/dev/null | sed -n 's/^Environment=//p') sleep 1000 >/dev/null 2>&1 </dev/null &
  echo $! > $state/pid; echo "start $(cat /etc/chrony.d/*.conf 2>/dev/null | grep -c '^server')" >> $state/log
}
stop() { if [ -e $state/pid ]; then kill "$(cat $state/pid)"; rm $state/pid; fi; }
case "$*" in
  "is-active $unit") [ -e $state/pid ] ;;
  "is-enabled $unit") [ -e $state/enabled ] ;;
  "enable --now $unit" | "-q enable --now $unit") touch $state/enabled; [ -e $state/pid ] || start ;;
  "disable --now $unit" | "-q disable --now $unit") rm -f $state/enabled; stop ;;
  "restart $unit") start ;;
  daemon-reload) ;;
  "show -p MainPID --value $unit") cat $state/pid 2>/dev/null || echo 0 ;;
  *) exit 1 ;;
esac
`;

/** As Fedora and RHEL have it: a unit without a folder of further settings. */
const chronyOfFedora = `
printf '# Use public servers.\\npool 2.fedora.pool.ntp.org iburst\\ndriftfile /var/lib/chrony/drift\\n' > /etc/chrony.conf
rm -rf /etc/chrony /usr/lib/systemd/systemd-timesyncd
rm -f /usr/lib/systemd/system/chrony.service; touch /usr/lib/systemd/system/chronyd.service
cat > /usr/local/bin/systemctl; chmod +x /usr/local/bin/systemctl`;

const shows = `cat /etc/chrony.conf; ls -d /etc/chrony.d /etc/systemd/system/chronyd.service.d /var/lib/kbs /run/units/* 2>/dev/null || :`;

describe.skipIf(lacks('root'))('time servers of a host with chrony', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
    await world.run(`head -c ${systemctl.length} | { ${chronyOfFedora}\n}`, [{ bytes: Buffer.from(systemctl) }]);
  });
  afterEach(() => world.end());

  const resources = async (...timeServers: readonly string[]): Promise<readonly Resource[]> => {
    const system = parseSystem(await world.run(`PATH=/usr/local/bin:$PATH\n${systemScript}`));
    const host = hostOf({ name: 'w', address: '192.168.10.11', segment: 'office', timeServers });
    return time.resources(host, contextOf(clusterOf(), system === undefined ? {} : { system }));
  };

  it('are asked, again after a change, and no more once they are removed', async () => {
    const before = await world.run(shows);
    const one = await resources('ntp.lan');
    await apply(world, one);
    expect(await allDifferences(world, one)).toEqual(one.map(() => ({})));
    // What kbs itself has put there is not taken for the host's.
    const two = await resources('ntp.lan', '192.168.10.1');
    expect(two.map(({ kind }) => kind)).toEqual(one.map(({ kind }) => kind));
    await apply(world, two);
    expect(await world.run('tail -n 1 /run/units/log; tail -n 2 /etc/chrony.conf')).toBe(
      'start 2\n# Written by kbs: where it puts its time servers.\nconfdir /etc/chrony.d\n',
    );
    await remove(world, two);
    expect(await world.run(`rm -f /run/units/log; ${shows}`)).toBe(before);
  });

  it('leave a daemon running that ran before', async () => {
    await world.run('systemctl enable --now chronyd.service');
    const all = await resources('ntp.lan');
    const changed = all.filter(({ kind }, index) => kind !== 'task' || index !== 1);
    await apply(world, all);
    await remove(world, changed);
    expect(await world.run('tail -n 1 /run/units/log; systemctl is-active chronyd.service && echo runs')).toBe(
      'start 0\nruns\n',
    );
  });
});
