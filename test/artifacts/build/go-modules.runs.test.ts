import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Arch, archOfThisMachine } from '../../../src/artifacts/arch.js';
import { buildBundle } from '../../../src/artifacts/build/build.js';
import { type Built, buildProgram } from '../../../src/artifacts/build/go-modules.js';
import { toolchainFor } from '../../../src/artifacts/build/toolchain.js';
import { knownVersions, releaseOf } from '../../../src/artifacts/catalogue.js';
import { sha256OfFile } from '../../../src/artifacts/digest.js';
import { zstdPacker } from '../../../src/artifacts/packer.js';
import type { GoProgram, Program } from '../../../src/artifacts/release.js';
import { lacks } from '../../support/needs.js';

const programs = releaseOf(knownVersions()[0] ?? '')?.programs ?? [];

describe.skipIf(lacks('go', 'gcc', 'libc6-dev'))('building a program', () => {
  let home: string;
  let built: Built;
  const unzstd = named('unzstd') as GoProgram; // the catalogue says so
  const context = (cache: string) => ({ cache: join(home, cache), arch: archOfThisMachine() });
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'kbs-go-'));
    built = await buildProgram(unzstd, context('one'));
  }, 300_000); // on a new machine Go compiles its own library first
  afterAll(() => rm(home, { recursive: true, force: true }));

  it('happens once; the second time it comes from the cache', async () => {
    expect(built.made).toBe(true);
    expect(await buildProgram(unzstd, context('one'))).toEqual({ ...built, made: false });
  });

  it.each([unzstd, named('pause')])('gives the same bytes in another place: $name', async (program) => {
    const one = await buildProgram(program, context('one'));
    const other = await buildProgram(program, context('other'));
    expect(other.key).toBe(one.key);
    expect(other.file).not.toBe(one.file);
    expect(await sha256OfFile(other.file)).toBe(await sha256OfFile(one.file));
  });

  it('gives a statically linked program', async () => {
    for (const program of [unzstd, named('pause')]) {
      const { file } = await buildProgram(program, context('one'));
      const { stdout, stderr } = await execa('ldd', [file], { reject: false });
      expect(stdout + stderr).toMatch(/not a dynamic executable|statically linked/);
    }
  });

  const changes: readonly (readonly [string, Partial<GoProgram>])[] = [
    ['another stamp', { stamps: { 'main.version': '2' } }],
    ['a tag', { tags: ['some'] }],
  ];
  it.each(changes)('%s is another program', async (_, change) => {
    const other = await buildProgram({ ...unzstd, ...change }, context('one'));
    expect(other.key).not.toBe(built.key);
  });

  it('that fails gives the output of the compiler and leaves nothing in the cache', async () => {
    const broken = { ...unzstd, name: 'broken', package: './nowhere' };
    await expect(buildProgram(broken, context('broken'))).rejects.toMatchObject({
      code: 'preflight',
      message: 'could not build broken 1.0',
      why: expect.arrayContaining([expect.stringContaining('nowhere')]),
    });
    expect(await readdir(join(home, 'broken'))).toEqual([]);
  });

  it('that is interrupted fails as interrupted and leaves nothing in the cache', async () => {
    const stopped = { ...context('stopped'), signal: AbortSignal.abort() };
    await expect(buildProgram(unzstd, stopped)).rejects.toMatchObject({ code: 'interrupted' });
    expect(await readdir(join(home, 'stopped'))).toEqual([]);
  });

  it('unzstd unpacks any bytes that it packed, and packs equal bytes to equal files', async () => {
    let n = 0;
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), fc.nat(300), async (bytes, times) => {
        n += 1;
        const plain = join(home, `plain-${n}`);
        await writeFile(plain, Buffer.concat(Array.from({ length: times }, () => bytes)));
        await zstdPacker(built).pack(plain, `${plain}.1`);
        await zstdPacker(built).pack(plain, `${plain}.2`);
        await execa(built.file, { stdin: { file: `${plain}.1` }, stdout: { file: `${plain}.back` }, buffer: false });
        expect(await sha256OfFile(`${plain}.1`)).toBe(await sha256OfFile(`${plain}.2`));
        expect(await sha256OfFile(`${plain}.back`)).toBe(await sha256OfFile(plain));
      }),
      { numRuns: 15 },
    );
  });

  it('unzstd refuses data that is not zstd', async () => {
    const { exitCode, stderr } = await execa(built.file, { input: 'plain text', reject: false });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('unzstd:');
  });

  it('pause runs until SIGTERM and exits with 0', async () => {
    const { file } = await buildProgram(named('pause'), context('one'));
    const { exitCode } = await execa('sh', ['-c', `${file} & sleep 0.2; kill -TERM $!; wait $!`]);
    expect(exitCode).toBe(0);
  });
});

describe('building a bundle', () => {
  it('of a version that the catalogue does not know is refused, naming those it knows', async () => {
    await expect(buildBundle({ version: '0.0.1' })).rejects.toMatchObject({
      code: 'usage',
      why: [`it knows ${knownVersions().join(', ')}`],
    });
  });

  const here = archOfThisMachine();
  const other = here === 'amd64' ? 'arm64' : 'amd64';
  const common = 'go, pkg-config, apt-get, package lists, dpkg-deb';
  const cross = toolchainFor(other);
  it.each<[readonly Arch[], string, string]>([
    [[here], `${common}, gcc, libc, libseccomp`, 'apt-get install pkg-config dpkg gcc libc6-dev libseccomp-dev'],
    [[other], `${common}, ${cross.gcc}, libc of ${other}`, `dpkg ${cross.packages.gcc} ${cross.packages.libc}`],
  ])(
    'for %s, on a machine without tools, names all that is missing at once',
    async (architectures, lacked, install) => {
      const home = await mkdtemp(join(tmpdir(), 'kbs-bare-'));
      const path = process.env.PATH;
      process.env.PATH = home;
      try {
        await expect(
          buildBundle({ version: knownVersions()[0] ?? '', architectures, cache: home }),
        ).rejects.toMatchObject({
          code: 'preflight',
          message: `this machine lacks ${lacked} to build a bundle`,
          next: expect.stringContaining(install),
        });
      } finally {
        process.env.PATH = path;
        await rm(home, { recursive: true, force: true });
      }
    },
  );
});

function named(name: string): Program {
  const found = programs.find((program) => program.name === name);
  if (!found) throw new Error(`the catalogue has no ${name}`);
  return found;
}
