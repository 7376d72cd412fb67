import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { delayAgain, readDelays } from '../../src/lab/delay.js';
import { delayFile, type Places, switchNamespace } from '../../src/lab/paths.js';
import { specOf } from '../../src/lab/spec.js';
import { clusterOf } from '../support/cluster.js';

const spec = specOf(clusterOf());
const edge = spec.hosts.find(({ name }) => name === 'edge');

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
