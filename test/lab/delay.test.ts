import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { delayAgain, readDelays } from '../../src/lab/delay.js';
import { betweenContainers, slowDown } from '../../src/lab/guest/delay.js';
import { delayFile, type Places, switchNamespace } from '../../src/lab/paths.js';
import { specOf } from '../../src/lab/spec.js';
import { clusterOf } from '../support/cluster.js';

const spec = specOf(clusterOf());
/** The hybrid cluster with these hosts as guests; without `edge` the lab plays the router. */
const withGuests = (names: readonly string[], left: readonly string[] = []) =>
  specOf(
    clusterOf({
      hosts: clusterOf()
        .hosts.filter(({ name }) => !left.includes(name))
        .map((host) => (names.includes(host.name) ? { ...host, lab: { platform: 'vm' } } : host)),
    }),
  );
const edge = spec.hosts.find(({ name }) => name === 'edge');

describe('a segment that its guests delay', () => {
  const [office, rack] = ['seg0', 'seg1'];

  test.each<readonly [string, readonly string[], readonly string[], string, readonly string[]]>([
    ['containers alone', [], [], office, ['controller-00', 'worker-office-00', 'edge']],
    ['a guest and its router', ['worker-rack-00'], [], rack, []],
    ["a guest and the lab's router", ['worker-rack-00'], ['edge'], rack, []],
    ['a container and its router', [], ['edge'], rack, ['worker-rack-00', 'the router']],
    ['guests and two containers', ['worker-office-00'], [], office, ['controller-00', 'edge']],
    ['guests and one container', ['worker-office-00', 'edge'], [], office, []],
  ])('has no packet that passes no guest: %s', (_, guests, left, bridge, between) => {
    expect(betweenContainers(withGuests(guests, left), bridge)).toEqual(between);
  });

  test('lets what another guest has delayed pass', () => {
    const [cable] = edge?.cables ?? [];
    if (cable === undefined) throw new Error('the example has a router');
    const script = slowDown(cable, ['02:00:00:00:00:01'], 20);
    expect(spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' }).stderr).toBe('');
    const filters = script.split('\n').filter((line) => line.includes('filter add'));
    expect(filters).toEqual([
      'tc filter add dev eth0 ingress pref 1 protocol all flower src_mac 02:00:00:00:00:01 action pass',
      expect.stringMatching(/pref 2 protocol all matchall action mirred egress redirect dev late-eth0/),
    ]);
  });
});

describe('a slow segment', () => {
  let places: Places;

  beforeEach(async () => {
    const home = await mkdtemp(join(tmpdir(), 'kbs delay '));
    places = { home, cache: join(home, 'cache') };
    await mkdir(join(home, 'hybrid'));
    // A program of this name that notes how it was called: what the kernel makes of it, only some kernels can say.
    await writeFile(join(home, 'tc'), `#!/bin/sh\necho "$*" >> '${home}/calls'\n`);
    await chmod(join(home, 'tc'), 0o755);
  });

  afterEach(() => rm(places.home, { recursive: true, force: true }));

  const plugIn = () =>
    spawnSync('sh', ['-eu'], {
      input: delayAgain(places, 'hybrid', edge?.cables ?? []),
      encoding: 'utf8',
      env: { PATH: `${places.home}:/usr/bin:/bin` },
    });

  test('stays slow for a host whose cables are made again, and its other segments stay fast', async () => {
    await writeFile(delayFile(places, 'hybrid', 'seg1'), '25\n');
    expect(plugIn()).toMatchObject({ status: 0, stderr: '' });
    expect(await readFile(join(places.home, 'calls'), 'utf8')).toBe(
      `-n ${switchNamespace('hybrid')} qdisc replace dev h3e1 root netem limit 100000 delay 25ms\n`,
    );
    expect(await readDelays('hybrid', spec, places)).toEqual([{ segment: 'rack', ms: 25 }]);
  });

  test('is slow only after lab delay', async () => {
    expect(plugIn()).toMatchObject({ status: 0, stderr: '' });
    await expect(readFile(join(places.home, 'calls'), 'utf8')).rejects.toThrow('ENOENT');
    expect(await readDelays('hybrid', spec, places)).toEqual([]);
  });
});
