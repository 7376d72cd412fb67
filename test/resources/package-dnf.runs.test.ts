import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PackageResource } from '../../src/resources/resource.js';
import { lacks } from '../support/needs.js';
import { createWorld, type World } from './overlay-host.js';
import { apply, differences, observed, remove } from './reconcile.js';
import { rpmRepository } from './rpms.js';

const resource: PackageResource = { kind: 'package', names: ['kbs-one'] };

/** The packages there, the settings of dnf, and what kbs keeps. Logs, dnf's history and rpm's own files are left out. */
const shows = `rpm -qa --qf '%{NAME} %{VERSION}\\n' | sort
find /etc/dnf /etc/yum.repos.d /var/cache/dnf /etc/kbs-one /usr/bin/kbs-* /var/lib/kbs -printf '%p %y %m %s\\n' 2>&1 | sort`;

describe.skipIf(lacks('root', 'dnf', 'rpm', 'createrepo-c'))('packages on a host of dnf', () => {
  let folder: string;
  let world: World;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kbs-dnf-'));
    await rpmRepository(folder, [
      { name: 'shell', provides: '/bin/sh' },
      {
        name: 'kbs-one',
        requires: 'kbs-two = 1.0',
        script: `case "$(cat /run/hurt 2>/dev/null)" in
  die) rm /run/hurt; kill -9 -1 ;;
esac`,
        files: { '/usr/bin/kbs-one': '#!/bin/sh\necho 1.0', '/etc/kbs-one/one.conf': 'as it came' },
        setting: '/etc/kbs-one/one.conf',
      },
      { name: 'kbs-two', files: { '/usr/share/kbs-two/data': 'data' } },
      { name: 'kbs-three', requires: '/usr/share/kbs-two/data', files: { '/usr/bin/kbs-three': '#!/bin/sh' } },
    ]);
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** This machine's own root, as if it were one of RPM packages: dpkg knows nothing, and rpm of nothing either. */
  beforeEach(async () => {
    world = await createWorld();
    await world.run(`for each in dpkg-query apt-get; do mount --bind /dev/null /usr/bin/$each; done
export HOME=/root
mkdir -p /etc/yum.repos.d; rm -f /etc/yum.repos.d/*
printf '[tests]\\nname=tests\\nbaseurl=file://%s\\ngpgcheck=0\\n' ${folder} > /etc/yum.repos.d/tests.repo
rpm --initdb`);
    await byHand('shell');
  });
  afterEach(() => world.end());

  const byHand = (name: string) => world.run(`dnf -q -y install ${name} >/dev/null 2>&1; rm -rf /var/cache/dnf/*`);
  const installed = () => world.run("rpm -qa --qf '%{NAME}\\n' | grep kbs | sort");

  it('come with what they need, and go with it, and leave dnf as it was', async () => {
    const before = await world.run(shows);
    expect(await observed(world, resource)).toBeUndefined();
    await apply(world, [resource]);
    expect(await differences(world, resource)).toEqual({});
    expect(await world.run('kbs-one')).toBe('1.0\n');
    expect(await installed()).toBe('kbs-one\nkbs-two\n');
    expect(await world.run('sort /var/lib/kbs/packages/kbs-one')).toBe('remove kbs-one\nremove kbs-two\n');
    await remove(world, [resource]);
    expect(await world.run(shows)).toBe(before);
  });

  it('may be there already, and then are not kbs’s to remove', async () => {
    await byHand('kbs-two');
    await apply(world, [resource]);
    await remove(world, [resource]);
    expect(await installed()).toBe('kbs-two\n');
    await byHand('kbs-one');
    expect(await differences(world, resource)).toEqual({});
    expect(await remove(world, [resource])).toBe(0);
  });

  it('stay where other packages have come to need them', async () => {
    await apply(world, [resource]);
    await byHand('kbs-three');
    await remove(world, [resource]);
    expect(await installed()).toBe('kbs-three\nkbs-two\n');
    expect(await world.run('ls /var/lib/kbs 2>&1 || :')).toContain('No such file');
  });

  it('are finished by the next run, and removed whole, where the power went in the middle', async () => {
    const before = await world.run(shows);
    await world.run('echo die > /run/hurt');
    await expect(apply(world, [resource])).rejects.toThrow();
    expect(await observed(world, resource)).toMatchObject({ touched: 'yes', installation: 'unfinished' });
    // Of a world the dead processes stay, and dnf would wait for the one that had its lock.
    await world.run('rm -f /var/lib/dnf/*.pid /var/cache/dnf/*.pid /run/*.pid');
    await apply(world, [resource]);
    expect(await differences(world, resource)).toEqual({});
    await remove(world, [resource]);
    expect(await world.run(shows)).toBe(before);
  });

  it.each([
    ['no source has them', { ...resource, names: ['kbs-nowhere'] }, /do not give kbs-nowhere.*No match for argument/s],
    ['their owner installs them', { ...resource, bundleOnly: true }, /install them yourself: dnf install -y kbs-one/],
  ] as const)('are refused where %s', async (_about, wanted, says) => {
    await expect(apply(world, [wanted])).rejects.toThrow(says);
    expect(await world.run('ls /var/lib/kbs 2>&1 || :')).toContain('No such file');
  });
});
