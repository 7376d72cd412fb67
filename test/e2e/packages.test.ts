import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kindOf } from '../../src/resources/registry.js';
import type { PackageResource } from '../../src/resources/resource.js';
import { daemon, repository } from '../resources/debs.js';
import { createWorld, type World, worldsAreHere } from '../resources/overlay-host.js';
import { apply, differences, observed, remove } from '../resources/reconcile.js';

const folder = await mkdtemp(join(tmpdir(), 'kbs-package-'));
afterAll(() => rm(folder, { recursive: true }));

const brought = await repository(join(folder, 'brought'), daemon('1.0'));
const newer = await repository(join(folder, 'newer'), daemon('2.0'));
const three = await repository(join(folder, 'three'), [{ name: 'kbs-three', depends: 'kbs-two' }]);
const resource: PackageResource = { kind: 'package', names: ['kbs-one', 'kbs-two'], repository: brought };
const one: PackageResource = { ...resource, names: ['kbs-one'] };

/** What apt knows and has, and what the host says about starting services. */
const shows = `
dpkg -l | sed 1,5d; ls /var/lib/dpkg/updates
find /etc/apt /var/lib/apt/lists /var/cache/apt /usr/sbin/policy-rc.d /etc/kbs-one /var/lib/kbs \\
  -printf '%p %y %m %s %T@\\n' 2>&1 | grep -v '^/var/lib/apt/lists[^ ]* d ' | sort`;

/** Shell that sets up a mirror of Debian packages of the host's own, which answers at once. */
const mirror = `
mkdir /srv/mirror; tar -x -C /srv/mirror
printf 'Suite: stable\\nDate: %s\\nSHA256:\\n %s %s Packages\\n' "$(date -uR)" \\
  "$(sha256sum < /srv/mirror/Packages | cut -c 1-64)" "$(stat -c %s /srv/mirror/Packages)" > /srv/mirror/Release
echo 'deb [trusted=yes] file:/srv/mirror ./' > /etc/apt/sources.list`;

describe.skipIf(!worldsAreHere)('packages on a host', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
    await world.run(`rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /usr/sbin/policy-rc.d
rm -f /sbin/runlevel; printf '#!/bin/sh\necho N 5\n' > /sbin/runlevel; chmod +x /sbin/runlevel`);
  });
  afterEach(() => world.end());

  const versions = () => world.run(`dpkg-query -W -f '\${Package} \${Status} \${Version}\\n' 'kbs-*' 2>/dev/null || :`);
  const started = () => world.run('cat /run/kbs-one 2>/dev/null || echo never');
  const failing = async (script: string): Promise<string> => {
    await world.run(script);
    return apply(world, [resource]).then(
      () => 'it did not fail',
      (error: unknown) => String(error),
    );
  };
  const byHand = (name: string, { file, packedSize }: typeof brought) =>
    world.run(`mkdir /run/${name}; tar -x -C /run/${name}; dpkg -i /run/${name}/*.deb`, [{ file, size: packedSize }]);

  it('come from the bundle where no mirror answers, start nothing, and leave apt as it was', async () => {
    const before = await world.run(shows);
    await apply(world, [resource]);
    expect(await differences(world, resource)).toEqual({});
    expect(await world.run('kbs-one')).toBe('1.0\n');
    expect(await started()).toBe('never\n');
    await remove(world, [resource]);
    expect(await world.run(shows)).toBe(before);
  });

  it('would be started by their own scripts', async () => {
    await byHand('debs', brought);
    expect(await started()).toBe('start\n');
  });

  it('come from the distribution where a mirror answers', async () => {
    await world.run(mirror, [{ file: newer.file, size: newer.packedSize }]);
    const before = await world.run(shows);
    await apply(world, [resource]);
    expect(await world.run('kbs-one')).toBe('2.0\n');
    expect(await started()).toBe('never\n');
    await remove(world, [resource]);
    expect(await world.run(shows)).toBe(before);
  });

  it('come from the bundle alone where the inventory has it so', async () => {
    await world.run(mirror, [{ file: newer.file, size: newer.packedSize }]);
    await apply(world, [{ ...resource, bundleOnly: true }]);
    expect(await world.run('kbs-one')).toBe('1.0\n');
  });

  it('come from the bundle where the distribution lacks what they need', async () => {
    await world.run(
      `${mirror}
sed -i 's/^Depends: .*/&, kbs-nowhere/' /srv/mirror/Packages; rm /srv/mirror/Release; touch /srv/mirror/Release`,
      [{ file: newer.file, size: newer.packedSize }],
    );
    await apply(world, [resource]);
    expect(await world.run('kbs-one')).toBe('1.0\n');
  });

  it('may be there already, at any version, and then are not kbs’s to remove', async () => {
    await byHand('debs', newer);
    expect(await differences(world, resource)).toEqual({});
    expect(await remove(world, [resource])).toBe(0);
    await world.run('dpkg --purge kbs-one');
    await apply(world, [resource]);
    expect(await versions()).toBe('kbs-one install ok installed 1.0\nkbs-two install ok installed 2.0\n');
    await remove(world, [resource]);
    expect(await versions()).toBe('kbs-two install ok installed 2.0\n');
  });

  it('stay where other packages have come to need them', async () => {
    await apply(world, [one]);
    await byHand('debs', three);
    await remove(world, [one]);
    expect(await versions()).toBe('kbs-three install ok installed 1.0\nkbs-two install ok installed 1.0\n');
    expect(await world.run('ls /var/lib/kbs 2>&1 || :')).toContain('No such file');
  });

  it('leave the settings that lay there before', async () => {
    await byHand('debs', brought);
    await world.run('echo mine > /etc/kbs-one/one.conf; dpkg --remove kbs-one');
    expect(await observed(world, one)).toMatchObject({ 'kbs-one': 'removed' });
    await apply(world, [one]);
    await remove(world, [one]);
    expect(await versions()).toContain('kbs-one deinstall ok config-files');
    expect(await world.run('cat /etc/kbs-one/one.conf')).toBe('mine\n');
  });

  it('are finished by the next run where the power went in the middle', async () => {
    await world.run(`printf '#!/bin/sh\\nexit 104\\n' > /usr/sbin/policy-rc.d; echo die > /run/hurt`);
    const before = await world.run(shows);
    await expect(apply(world, [resource])).rejects.toThrow();
    expect(await observed(world, resource)).toMatchObject({ touched: 'yes', installation: 'unfinished' });
    await apply(world, [resource]);
    expect(await differences(world, resource)).toEqual({});
    expect(await started()).toBe('never\n');
    expect(await world.run('cat /usr/sbin/policy-rc.d')).toContain('104');
    await remove(world, [resource]);
    expect(await world.run(shows)).toBe(before);
  });

  it('can be removed after a loss of power during the installation', async () => {
    await world.run(`echo die > /run/hurt`);
    const before = await world.run(shows);
    await expect(apply(world, [resource])).rejects.toThrow();
    await remove(world, [resource]);
    expect(await world.run(shows)).toBe(before);
  });

  it('that fail say why, and are taken back all the same', async () => {
    const before = await world.run(shows);
    expect(await failing('echo fail > /run/hurt')).toMatch(/could not install kbs-one kbs-two:[\s\S]*it hurts/);
    expect(await world.run('ls /usr/sbin/policy-rc.d 2>&1 || :')).toContain('No such file');
    expect(await differences(world, resource)).toEqual({ 'kbs-one': 'half configured' });
    await remove(world, [resource]);
    expect(await world.run(shows)).toBe(before);
  });

  it('are not begun with half of the bundle’s bytes', async () => {
    const before = await world.run(shows);
    const [made] = kindOf(resource).apply(resource, undefined);
    await expect(world.run(made?.script ?? '', [{ bytes: Buffer.alloc(1000) }])).rejects.toThrow();
    expect(await world.run(shows)).toBe(before);
  });

  it.each([
    [
      'another system',
      `sed -i 's/^VERSION_ID=.*/VERSION_ID="13"/' /etc/os-release`,
      /what kbs brings is for debian-12/,
    ],
    ['no apt', 'mount --bind /dev/null /usr/bin/apt-get', /apt and dnf only: see to kbs-one kbs-two yourself/],
  ])('are refused on a host with %s', async (_about, given, says) => {
    expect(await failing(given)).toMatch(says);
    expect(await world.run('ls /var/lib/kbs 2>&1 || :')).toContain('No such file');
  });

  it('are programs of that name where there is no dpkg', async () => {
    await world.run('mount --bind /dev/null /usr/bin/dpkg-query');
    expect(await observed(world, one)).toBeUndefined();
    await world.run('printf "#!/bin/sh\\n" > /usr/local/bin/kbs-one; chmod +x /usr/local/bin/kbs-one');
    expect(await differences(world, one)).toEqual({});
    expect(await remove(world, [one])).toBe(0);
  });
});
