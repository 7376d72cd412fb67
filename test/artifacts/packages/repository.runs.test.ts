import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { extract } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archOfThisMachine } from '../../../src/artifacts/arch.js';
import { optionsFor } from '../../../src/artifacts/packages/apt.js';
import { makeRepository, refuseOtherThanDebian, repositoryOf } from '../../../src/artifacts/packages/repository.js';
import { tarOf } from '../../../src/artifacts/tar.js';
import { sha256 } from '../../../src/secret.js';
import { build, type Deb } from '../../resources/debs.js';

const run = promisify(execFile);
const arch = archOfThisMachine();
const foreign = arch === 'amd64' ? 'arm64' : 'amd64';

const debs: readonly Deb[] = [
  { name: 'kbs-app', version: '1:2.0-1+b1', depends: 'kbs-lib (>= 1.0), kbs-base' },
  { name: 'kbs-base', priority: 'required', depends: 'kbs-deep' },
  { name: 'kbs-deep' },
  { name: 'kbs-lib', depends: 'kbs-nowhere | kbs-deep' },
  { name: 'kbs-other' },
  { name: 'kbs-foreign', architecture: foreign, depends: 'kbs-lib' },
];

/** A mirror on this machine, and an apt that knows no other one. */
let home: string;
let files: readonly string[];
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'kbs-repository-'));
  files = await build(join(home, 'debs'), debs);
  await mkdir(join(home, 'mirror'));
  await mkdir(join(home, 'lists'));
  await offer(files);
  await writeFile(join(home, 'sources.list'), `deb [trusted=yes] file:${home}/mirror ./\n`);
  await writeFile(
    join(home, 'apt.conf'),
    `Dir::Etc::sourcelist "${home}/sources.list"; Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "${home}/lists"; APT::Sandbox::User "root"; Acquire::Languages "none";`,
  );
  process.env.APT_CONFIG = join(home, 'apt.conf');
  await run('apt-get', ['update', '-q']);
});
afterAll(async () => {
  delete process.env.APT_CONFIG;
  await rm(home, { recursive: true });
});

const offer = async (packages: readonly string[]): Promise<void> => {
  for (const entry of await repositoryOf(packages)) {
    if (!('path' in entry)) continue;
    const content = entry.type === 'file' ? await readFile(entry.file) : entry.type === 'text' ? entry.text : '';
    await writeFile(join(home, 'mirror', entry.path), content);
  }
};

const bytesOf = async (entries: Parameters<typeof tarOf>[0]): Promise<Buffer> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of tarOf(entries)) pieces.push(piece);
  return Buffer.concat(pieces);
};

const membersOf = async (file: string): Promise<Readonly<Record<string, string>>> => {
  const tar = extract();
  tar.end(await readFile(file));
  const members: Record<string, string> = {};
  for await (const member of tar) {
    const pieces: Uint8Array[] = [];
    for await (const piece of member) pieces.push(piece as Uint8Array);
    members[member.header.name] = Buffer.concat(pieces).toString('latin1');
  }
  return members;
};

describe('a repository', () => {
  it('holds packages with their dependencies, less what every Debian has', async () => {
    const made = await makeRepository(['kbs-app'], { cache: join(home, 'cache'), arch });
    expect(made.packages.map(({ name, version }) => `${name} ${version}`)).toEqual([
      'kbs-app 1:2.0-1+b1',
      'kbs-deep 1.0',
      'kbs-lib 1.0',
    ]);
    const members = await membersOf(made.source);
    expect(Object.keys(members)).toEqual(['Packages', 'kbs-app_all.deb', 'kbs-deep_all.deb', 'kbs-lib_all.deb']);
    expect(members.Packages?.split('\n\n')[0]).toBe(`Package: kbs-app
Version: 1:2.0-1+b1
Architecture: all
Priority: optional
Maintainer: kbs <kbs@example.org>
Description: a package of the tests
 With a longer word about kbs-app.
Depends: kbs-lib (>= 1.0), kbs-base
Filename: ./kbs-app_all.deb
Size: ${members['kbs-app_all.deb']?.length}
SHA256: ${sha256(Buffer.from(members['kbs-app_all.deb'] ?? '', 'latin1'))}`);
    expect(made.packages[0]?.sha256).toBe(sha256(Buffer.from(members['kbs-app_all.deb'] ?? '', 'latin1')));
    expect(made.member).toMatchObject({ file: 'packages/debian-12.tar', sha256: sha256(await readFile(made.source)) });
  });

  it('is made once', async () => {
    const cache = join(home, 'once');
    expect((await makeRepository(['kbs-lib'], { cache, arch })).made).toBe(true);
    expect((await makeRepository(['kbs-lib'], { cache, arch })).made).toBe(false);
  });

  it('is made for another architecture from the same mirrors, and apt of this machine stays as it is', async () => {
    const cache = join(home, 'foreign');
    const lists = await readdir(join(home, 'lists'));
    const { source, packages } = await makeRepository(['kbs-foreign'], { cache, arch: foreign });
    expect(packages.map(({ name }) => name)).toEqual(['kbs-deep', 'kbs-foreign', 'kbs-lib']);
    expect(Object.keys(await membersOf(source))).toContain(`kbs-foreign_${foreign}.deb`);
    expect(await readdir(join(home, 'lists'))).toEqual(lists);
    await expect(makeRepository(['kbs-foreign'], { cache, arch })).rejects.toMatchObject({
      message: 'could not choose Debian packages for kbs-foreign',
    });
  });

  it('fetches package lists for another architecture anew once those of this machine have changed', async () => {
    const cache = join(home, 'fetched');
    const before = await optionsFor(foreign, cache);
    expect(await optionsFor(foreign, cache)).toEqual(before);
    await writeFile(join(home, 'lists', 'somewhere_InRelease'), 'another day');
    expect(await optionsFor(foreign, cache)).not.toEqual(before);
    expect(await optionsFor(arch, cache)).toEqual([]);
  });

  it('is not made of the half of the lists that could be fetched', async () => {
    const cache = join(home, 'half');
    const sources = `deb [trusted=yes] file:${home}/mirror ./\ndeb [trusted=yes] file:${home}/nowhere ./\n`;
    const whole = await readFile(join(home, 'sources.list'), 'utf8');
    await writeFile(join(home, 'sources.list'), sources);
    try {
      await expect(makeRepository(['kbs-foreign'], { cache, arch: foreign })).rejects.toMatchObject({
        message: `could not fetch the package lists of ${foreign}`,
      });
    } finally {
      await writeFile(join(home, 'sources.list'), whole);
    }
    expect((await makeRepository(['kbs-foreign'], { cache, arch: foreign })).made).toBe(true);
  });

  it('is the same bytes whenever it is made', async () => {
    expect((await bytesOf(await repositoryOf(files))).equals(await bytesOf(await repositoryOf(files)))).toBe(true);
  });

  it('is refused where the lists do not offer a package', async () => {
    await expect(makeRepository(['kbs-missing'], { cache: join(home, 'cache'), arch })).rejects.toMatchObject({
      message: 'could not choose Debian packages for kbs-missing',
      why: expect.arrayContaining([expect.stringContaining('kbs-missing')]),
    });
  });

  it('is refused where the control fields of a package differ from the package lists', async () => {
    const index = join(home, 'mirror', 'Packages');
    const text = await readFile(index, 'utf8');
    await writeFile(index, text.replace('Package: kbs-other\nVersion: 1.0', 'Package: kbs-other\nVersion: 9.0'));
    await run('apt-get', ['update', '-q']);
    await expect(makeRepository(['kbs-other'], { cache: join(home, 'cache'), arch })).rejects.toMatchObject({
      message: 'the Debian package kbs-other is not what the package lists say',
      why: [expect.stringContaining('kbs-other 1.0'), expect.stringContaining('kbs-other 9.0')],
    });
  });

  it.each([
    ['PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n', undefined],
    ['PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nID=debian\n', 'says Debian GNU/Linux 13 (trixie)'],
    ['NAME=Fedora\nID=fedora\nVERSION_ID=12\nPRETTY_NAME="Fedora Linux 12"\n', 'says Fedora Linux 12'],
    ['', 'says nothing'],
  ])('is made on Debian 12 only, by os-release %j', async (text, why) => {
    const outcome = refuseOtherThanDebian(text);
    if (why === undefined) await expect(outcome).resolves.toBeUndefined();
    else await expect(outcome).rejects.toMatchObject({ why: [expect.stringContaining(why), expect.anything()] });
  });
});
