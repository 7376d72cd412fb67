import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildCached, cacheFolder, keyOf, sweep, sweepOthers } from '../../src/artifacts/cache.js';

let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'kbs-cache-'));
});
afterEach(() => rm(cache, { recursive: true, force: true }));

const write = (text: string) => (folder: string) => writeFile(join(folder, 'made'), text);

describe('the cache', () => {
  it('lies in XDG_CACHE_HOME, else in the home directory', () => {
    expect(cacheFolder({ XDG_CACHE_HOME: '/x' })).toBe('/x/kbs');
    expect(cacheFolder({})).toMatch(/\/\.cache\/kbs$/);
    expect(cacheFolder({ XDG_CACHE_HOME: '' })).toMatch(/\/\.cache\/kbs$/);
  });

  it('gives equal inputs equal keys, and different inputs different keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        expect(keyOf('kubelet', one) === keyOf('kubelet', other)).toBe(same);
      }),
    );
  });

  it('keeps of the same name what is younger than a day, and what has another name', async () => {
    const [key, old, young] = [1, 2, 3].map((input) => keyOf('lists-amd64', input)) as [string, string, string];
    const other = keyOf('lists-amd64-x', 4);
    for (const each of [key, old, young, other]) await buildCached(cache, each, write('lists'));
    const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1000);
    for (const each of [key, old, other]) await utimes(join(cache, each), yesterday, yesterday);
    await sweepOthers(cache, key);
    expect((await readdir(cache)).toSorted()).toEqual([key, young, other].toSorted());
  });

  it('builds once and keeps the result', async () => {
    const first = await buildCached(cache, 'a', write('first'));
    const second = await buildCached(cache, 'a', write('second'));
    expect([first.made, second.made]).toEqual([true, false]);
    expect(await readFile(join(second.folder, 'made'), 'utf8')).toBe('first');
  });

  it('keeps nothing of a build that failed, and builds at the next attempt', async () => {
    const fail = async (folder: string) => {
      await write('half')(folder);
      throw new Error('no space');
    };
    await expect(buildCached(cache, 'a', fail)).rejects.toThrow('no space');
    expect(await readdir(cache)).toEqual([]);
    expect((await buildCached(cache, 'a', write('whole'))).made).toBe(true);
  });

  it('after a kill keeps finished builds, and removes and repeats unfinished ones', async () => {
    const cacheModule = new URL('../../src/artifacts/cache.ts', import.meta.url).pathname;
    const script = `
      import { writeFile } from 'node:fs/promises';
      import { buildCached } from ${JSON.stringify(cacheModule)};
      await buildCached(${JSON.stringify(cache)}, 'finished', (folder) => writeFile(folder + '/made', 'yes'));
      await buildCached(${JSON.stringify(cache)}, 'half', async (folder) => {
        await writeFile(folder + '/made', 'ha');
        process.stdout.write('ready');
        setInterval(() => undefined, 1000);
        await new Promise(() => undefined);
      });`;
    const builder = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => builder.stdout.once('data', resolve));
    const ended = new Promise((resolve) => builder.once('exit', resolve));
    builder.kill('SIGKILL');
    await ended;

    expect(existsSync(join(cache, 'half'))).toBe(false);
    await sweep(cache);
    expect(await readdir(cache)).toEqual(['finished']);
    expect((await buildCached(cache, 'finished', write('again'))).made).toBe(false);
    expect((await buildCached(cache, 'half', write('whole'))).made).toBe(true);
  });

  it('keeps the unfinished build of a run that is still going on', async () => {
    const mine = join(cache, `a.${process.pid}.partial`);
    await writeFile(mine, '');
    await sweep(cache);
    expect(existsSync(mine)).toBe(true);
  });
});
