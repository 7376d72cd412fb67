import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archOfThisMachine } from '../../src/artifacts/arch.js';
import { buildProgram } from '../../src/artifacts/build/go-modules.js';
import { cacheFolder } from '../../src/artifacts/cache.js';
import { knownVersions, releaseOf } from '../../src/artifacts/catalogue.js';
import { zstdPacker } from '../../src/artifacts/packer.js';
import { aarch64, emulator, lacksArm64, machineOf } from '../support/emulator.js';

const release = releaseOf(knownVersions()[0] ?? '');

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'kbs-arm64-'));
});
afterAll(() => rm(home, { recursive: true }));

// From the cache that `kbs bundle build` fills; from nothing it takes a minute. `npm run test:arm64` builds all of them.
describe.skipIf(lacksArm64())('a program for arm64', () => {
  const build = async (name: string, arch: 'amd64' | 'arm64' = 'arm64'): Promise<string> => {
    const program = release?.programs.find((each) => each.name === name);
    if (!program) throw new Error(`the release has no ${name}`);
    return (await buildProgram(program, { cache: join(cacheFolder(), 'build'), arch })).file;
  };

  it('runc is static, and knows the system calls of arm64 for seccomp', async () => {
    const runc = await build('runc');
    expect(await machineOf(runc)).toBe(aarch64);
    expect((await execa('readelf', ['--program-headers', runc])).stdout).not.toContain('INTERP');
    const features: Features = JSON.parse((await execa(emulator, [runc, 'features'])).stdout);
    expect(features.linux.seccomp.enabled).toBe(true);
    expect(features.linux.seccomp.archs).toContain('SCMP_ARCH_AARCH64');
    expect((await execa(emulator, [runc, '--version'])).stdout).toContain('libseccomp: 2.5');
  });

  it('the CNI plugin bridge says which versions of CNI it speaks', async () => {
    const env = { CNI_COMMAND: 'VERSION' };
    const { stdout } = await execa(emulator, [await build('cni-bridge')], { env, input: '{"cniVersion":"1.0.0"}' });
    expect(JSON.parse(stdout)).toMatchObject({ supportedVersions: expect.arrayContaining(['1.0.0']) });
  });

  it('unzstd unpacks what this machine has packed', async () => {
    const packed = join(home, 'packed.zst');
    await writeFile(join(home, 'text'), 'as it was\n'.repeat(1000));
    const unzstd = { file: await build('unzstd', archOfThisMachine()), key: '' };
    await zstdPacker(unzstd).pack(join(home, 'text'), packed);
    const { stdout } = await execa(emulator, [await build('unzstd')], { stdin: { file: packed } });
    expect(`${stdout}\n`).toBe(await readFile(join(home, 'text'), 'utf8'));
  });

  it('pause waits, and leaves when it is told to', async () => {
    // The emulator prints each system call before it is made: the last one is that which waits.
    const pause = spawn(emulator, ['-strace', await build('pause')], { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = once(pause, 'exit');
    let said = '';
    for await (const piece of pause.stderr) {
      said += piece;
      if (said.includes('ppoll(') && !said.includes('SIGTERM {')) pause.kill('SIGTERM');
    }
    expect(await ended).toEqual([0, null]);
  });
});

interface Features {
  readonly linux: { readonly seccomp: { readonly enabled: boolean; readonly archs: readonly string[] } };
}
