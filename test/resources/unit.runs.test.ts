import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UnitResource } from '../../src/resources/resource.js';
import { restartReplacedUnit } from '../../src/resources/unit.js';
import { lacks } from '../support/needs.js';
import { createWorld, type World } from './overlay-host.js';
import { apply, observed, remove } from './reconcile.js';

const text = (program: string): string =>
  `[Service]\nType=exec\nExecStart=/bin/${program}\n\n[Install]\nWantedBy=multi-user.target\n`;

const ours: UnitResource = {
  kind: 'unit',
  name: 'kbs-test.service',
  text: text('ours'),
  inputs: [],
  runs: 'service',
};
const path = '/etc/systemd/system/kbs-test.service';

/**
 * Links are the real systemctl's work, which needs no systemd for them. What runs is a file under /run/active with the
 * program; like the real one, it does not know a unit without a file that does not run, and refuses to stop it.
 */
const systemctl = `mkdir -p /run/active /lib/systemd/system
cat > /usr/local/sbin/systemctl <<'END'
#!/bin/sh
for name; do :; done
text=
for folder in /etc/systemd/system /lib/systemd/system; do
  if [ -z "$text" ] && [ -e $folder/$name ]; then text=$folder/$name; fi
done
case " $* " in
  *' enable '* | *' disable '*) exec /bin/systemctl "$@" ;;
  *' is-active '*) [ -e /run/active/$name ] ;;
  *' UnitFileState '*'--value'*) /bin/systemctl is-enabled $name 2>/dev/null || : ;;
  *' LoadState '*) if [ -n "$text" ]; then echo loaded; else echo not-found; fi ;;
  *' NRestarts '*) echo 0 ;;
  *' show '*)
    active=inactive; if [ -e /run/active/$name ]; then active=active; fi
    case " $* " in *' --value '*) echo $active; exit 0 ;; esac
    echo "UnitFileState=$(/bin/systemctl is-enabled $name 2>/dev/null)"
    echo "ActiveState=$active"
    echo NeedDaemonReload=no
    echo "Environment=$(sed -n s/^Environment=//p $text)"
    echo MainPID=0
    ;;
  *' start '* | *' restart '*)
    if grep -q broken $text; then echo "Job for $name failed" >&2; exit 1; fi
    sed -n s/^ExecStart=//p $text > /run/active/$name
    ;;
  *' stop '*)
    if [ -z "$text" ] && [ ! -e /run/active/$name ]; then echo "Unit $name not loaded" >&2; exit 5; fi
    rm -f /run/active/$name
    ;;
esac
END
chmod +x /usr/local/sbin/systemctl`;

const shows = `
cd /etc/systemd/system; find . /run/active /var/lib/kbs -name '*kbs*' -printf '%p %y %l\n' 2>/dev/null | sort
cat kbs-test.service /run/active/kbs-test.service 2>/dev/null || :`;

describe.skipIf(lacks('root'))('a unit', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
    await world.run(systemctl);
  });
  afterEach(() => world.end());

  const vendors = (program: string) =>
    world.run(`printf '%s' '${text(program)}' > /lib/systemd/system/kbs-test.service`);
  const admins = (program: string) => world.run(`printf '%s' '${text(program)}' > ${path}`);
  const leave = async () => {
    await remove(world, [ours]);
    await world.run(`${restartReplacedUnit(ours)}\nrmdir /var/lib/kbs/before /var/lib/kbs 2>/dev/null || :`);
  };
  const runs = () => world.run('cat /run/active/kbs-test.service 2>/dev/null || :');

  it('is removed without leftovers where it replaced no unit', async () => {
    const found = await world.run(shows);
    await apply(world, [ours]);
    expect(await runs()).toBe('/bin/ours\n');
    await leave();
    expect(await world.run(shows)).toBe(found);
  });

  it.each([
    ['the file', `rm ${path}`],
    ['the file, and the process has ended', `rm ${path} /run/active/kbs-test.service`],
  ])('is stopped and disabled after %s was deleted by hand', async (_, gone) => {
    const found = await world.run(shows);
    await apply(world, [ours]);
    await world.run(gone);
    await leave();
    expect(await world.run(shows)).toBe(found);
    expect(await observed(world, ours)).toBeUndefined();
  });

  it.each([
    [
      "the vendor's, enabled and running",
      vendors,
      'systemctl --quiet enable kbs-test.service; systemctl start kbs-test.service',
    ],
    ["the vendor's, enabled", vendors, 'systemctl --quiet enable kbs-test.service'],
    ["the vendor's, running", vendors, 'systemctl start kbs-test.service'],
    ["the vendor's, idle", vendors, ':'],
    [
      "the administrator's, enabled and running",
      admins,
      'systemctl --quiet enable kbs-test.service; systemctl start kbs-test.service',
    ],
    ["the administrator's, idle", admins, ':'],
  ])('that replaced %s restores it', async (_, put, given) => {
    await put('theirs');
    await world.run(given);
    const found = await world.run(shows);
    await apply(world, [ours]);
    expect(await runs()).toBe('/bin/ours\n');
    await leave();
    expect(await world.run(shows)).toBe(found);
  });

  it('does not start the replaced unit before all originals are restored, also after an interruption', async () => {
    await vendors('theirs');
    await world.run('systemctl --quiet enable kbs-test.service; systemctl start kbs-test.service');
    const found = await world.run(shows);
    await apply(world, [ours]);
    await remove(world, [ours]);
    expect(await runs()).toBe('');
    await apply(world, [ours]);
    await leave();
    expect(await world.run(shows)).toBe(found);
  });

  it('reports a replaced unit that does not start again once', async () => {
    await vendors('theirs');
    await world.run('systemctl start kbs-test.service');
    await apply(world, [ours]);
    await vendors('broken');
    await expect(leave()).rejects.toThrow(
      /kbs-test\.service was there before kbs, and systemctl cannot start it again/,
    );
    await leave();
    expect(await world.run('ls -d /var/lib/kbs 2>/dev/null || :')).toBe('');
  });

  it('does not start a replaced unit that does not exist any more', async () => {
    await vendors('theirs');
    await world.run('systemctl --quiet enable kbs-test.service');
    await apply(world, [ours]);
    await world.run('rm /lib/systemd/system/kbs-test.service');
    await leave();
    expect(await world.run(shows)).toBe('');
  });
});
