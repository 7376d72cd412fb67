import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolder, keyOf, once, sweep } from '../../src/artifacts/cache.js';

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

  it('names the same inputs the same, and any others otherwise', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        expect(keyOf('kubelet', one) === keyOf('kubelet', other)).toBe(same);
      }),
    );
  });

  it('makes a thing once and keeps it', async () => {
    const first = await once(cache, 'a', write('first'));
    const second = await once(cache, 'a', write('second'));
    expect([first.made, second.made]).toEqual([true, false]);
    expect(await readFile(join(second.folder, 'made'), 'utf8')).toBe('first');
  });

  it('keeps nothing of what could not be made, and makes it at the next attempt', async () => {
    const fail = async (folder: string) => {
      await write('half')(folder);
      throw new Error('no space');
    };
    await expect(once(cache, 'a', fail)).rejects.toThrow('no space');
    expect(await readdir(cache)).toEqual([]);
    expect((await once(cache, 'a', write('whole'))).made).toBe(true);
  });

  it('goes on after a kill: what was finished is kept, what was half made is swept away and made again', async () => {
    const cacheModule = new URL('../../src/artifacts/cache.ts', import.meta.url).pathname;
    const script = `
      import { writeFile } from 'node:fs/promises';
      import { once } from ${JSON.stringify(cacheModule)};
      await once(${JSON.stringify(cache)}, 'finished', (folder) => writeFile(folder + '/made', 'yes'));
      await once(${JSON.stringify(cache)}, 'half', async (folder) => {
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
    expect((await once(cache, 'finished', write('again'))).made).toBe(false);
    expect((await once(cache, 'half', write('whole'))).made).toBe(true);
  });

  it('leaves alone what another run is still making', async () => {
    const mine = join(cache, `a.${process.pid}.partial`);
    await writeFile(mine, '');
    await sweep(cache);
    expect(existsSync(mine)).toBe(true);
  });
});
