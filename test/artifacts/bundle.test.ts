import {
  appendFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBundle, verifyBundle } from '../../src/artifacts/bundle.js';
import { type BundleCatalogue, printCatalogue } from '../../src/artifacts/bundle-catalogue.js';
import { writeBundleTar } from '../../src/artifacts/bundle-tar.js';
import { writeBundle } from '../../src/artifacts/write-bundle.js';
import { Failure, Failures } from '../../src/failure.js';
import { sha256 } from '../../src/secret.js';

const texts: Readonly<Record<string, string>> = {
  'binaries/kubelet.zst': 'the kubelet, packed',
  'binaries/unzstd': 'what unpacks it',
  'images/control-plane.tar': 'three images',
  'packages/debian-12.tar': 'an apt repository',
};
const catalogue: BundleCatalogue = {
  format: 1,
  kubernetes: '1.36.3',
  arch: 'amd64',
  components: [
    { name: 'kubelet', version: '1.36.3', from: 'k8s.io/kubernetes v1.36.3' },
    { name: 'haproxy', version: '2.6.12-1+deb12u4', from: 'debian', sha256: sha256('haproxy') },
  ],
  members: Object.entries(texts).map(([file, text]) => ({ file, size: text.length, sha256: sha256(text) })),
  binaries: [
    { name: 'kubelet', file: 'binaries/kubelet.zst', size: 1000, sha256: sha256('the kubelet') },
    { name: 'unzstd', file: 'binaries/unzstd', size: 15, sha256: sha256('what unpacks it') },
  ],
  archives: [
    {
      name: 'control-plane',
      file: 'images/control-plane.tar',
      images: (['kube-apiserver', 'kube-scheduler'] as const).map((name) => ({
        name,
        reference: `kbs.local/${name}:v1.36.3`,
        digest: `sha256:${sha256(name)}`,
      })),
    },
  ],
};

let home: string;
let whole: string;
let copies: Copy[];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'kbs-bundle-'));
  const sources = join(home, 'sources');
  await mkdir(sources);
  const members = await Promise.all(
    catalogue.members.map(async (member, index) => {
      const source = join(sources, String(index));
      await writeFile(source, texts[member.file] ?? '');
      return { source, member, made: true };
    }),
  );
  whole = join(home, 'whole');
  await writeBundle(whole, catalogue, members);
  copies = await Promise.all(Array.from({ length: 60 }, (_, number) => copyOf(number)));
  await sleep(2_100); // what is hashed sooner after a change is hashed again at the next opening
  for (const { bundle, cache } of copies) await openBundle(bundle, { cache });
});
afterAll(() => rm(home, { recursive: true, force: true }));

interface Copy {
  readonly bundle: string;
  readonly cache: string;
}

/** A bundle of its own with a cache of its own, which remembers every member of it. */
const fresh = (): Copy => {
  const copy = copies.pop();
  if (!copy) throw new Error('more copies are needed');
  return copy;
};

const copyOf = async (number: number): Promise<Copy> => {
  const copy = { bundle: join(home, `bundle-${number}`), cache: join(home, `cache-${number}`) };
  await cp(whole, copy.bundle, { recursive: true });
  return copy;
};

describe('a whole bundle', () => {
  it('gives the paths, sizes and digests of its binaries and archives', async () => {
    const { bundle, cache } = fresh();
    const opened = await openBundle(bundle, { cache });
    expect(opened.binary('kubelet')).toEqual({
      name: 'kubelet',
      sha256: sha256('the kubelet'),
      size: 1000,
      file: join(bundle, 'binaries/kubelet.zst'),
      packedSize: 19,
      packing: 'zstd',
    });
    expect(opened.binary('unzstd').packing).toBe('none');
    expect(opened.image('kube-apiserver').archive.file).toBe(join(bundle, 'images/control-plane.tar'));
    expect(opened.repository()).toMatchObject({ size: 17, packedSize: 17, packing: 'none' });
    expect(opened.repository().file).toBe(join(bundle, 'packages/debian-12.tar'));
  });

  it('gives one and the same archive for images that travel together', async () => {
    const { bundle, cache } = fresh();
    const opened = await openBundle(bundle, { cache });
    expect(opened.image('kube-apiserver')).toBe(opened.image('kube-scheduler'));
  });

  it('names the artifact that it does not hold', async () => {
    const { bundle, cache } = fresh();
    const opened = await openBundle(bundle, { cache });
    expect(() => opened.binary('runc')).toThrow('the bundle does not list runc');
    expect(() => opened.image('coredns')).toThrow('the bundle does not list coredns');
    const without = catalogue.members.filter(({ file }) => !file.startsWith('packages/'));
    await writeFile(join(bundle, 'catalogue.json'), printCatalogue({ ...catalogue, members: without }));
    const older = await openBundle(bundle, { cache });
    expect(() => older.repository()).toThrow('the bundle does not list packages/debian-12.tar');
  });

  it('passes a full verification', async () => {
    const { bundle, cache } = fresh();
    expect(await verifyBundle(bundle, { cache })).toEqual(catalogue);
  });
});

/** What is done to a bundle, and the words that the failure must hold. */
const damages: readonly (readonly [string, (bundle: string) => Promise<unknown>, readonly string[]])[] = [
  ['a missing member', (bundle) => rm(join(bundle, 'binaries/unzstd')), ['binaries/unzstd is missing']],
  ['a truncated member', (bundle) => truncate(join(bundle, 'binaries/unzstd'), 3), ['binaries/unzstd is damaged']],
  ['a longer member', (bundle) => appendFile(join(bundle, 'binaries/unzstd'), '!'), ['binaries/unzstd is damaged']],
  [
    'a changed byte',
    (bundle) => writeFile(join(bundle, 'binaries/unzstd'), 'What unpacks it'),
    ['binaries/unzstd is damaged'],
  ],
  [
    'a changed byte under the old date',
    async (bundle) => {
      const file = join(bundle, 'binaries/unzstd');
      const { atime, mtime } = await stat(file);
      await writeFile(file, 'What unpacks it');
      await utimes(file, atime, mtime);
    },
    ['binaries/unzstd is damaged'],
  ],
  [
    'a folder in the place of a member',
    async (bundle) => {
      await rm(join(bundle, 'binaries/unzstd'));
      await mkdir(join(bundle, 'binaries/unzstd'));
    },
    ['binaries/unzstd is damaged'],
  ],
  [
    'several of them',
    async (bundle) => {
      await rm(join(bundle, 'binaries/unzstd'));
      await truncate(join(bundle, 'images/control-plane.tar'), 0);
    },
    ['binaries/unzstd is missing', 'images/control-plane.tar is damaged'],
  ],
  ['no catalogue', (bundle) => rm(join(bundle, 'catalogue.json')), ['there is no bundle in']],
  ['a catalogue that is no JSON', (bundle) => writeFile(join(bundle, 'catalogue.json'), '{'), ['no catalogue']],
  [
    'a catalogue with a changed digest',
    async (bundle) => {
      const file = join(bundle, 'catalogue.json');
      const text = await readFile(file, 'utf8');
      await writeFile(file, text.replace(sha256('three images'), sha256('two images')));
    },
    ['no catalogue'],
  ],
  [
    'a catalogue of another format',
    async (bundle) => {
      const file = join(bundle, 'catalogue.json');
      await writeFile(file, (await readFile(file, 'utf8')).replace('"format": 1', '"format": 2'));
    },
    ['no catalogue'],
  ],
  [
    'a catalogue that leads out of the bundle',
    (bundle) =>
      writeFile(
        join(bundle, 'catalogue.json'),
        printCatalogue({ ...catalogue, members: [{ file: '../secret', size: 1, sha256: sha256('') }] }),
      ),
    ['no catalogue'],
  ],
];

describe.each(damages)('a bundle with %s', (_, damage, words) => {
  it.each([
    ['opened', openBundle],
    ['verified', verifyBundle],
  ] as const)('is refused when it is %s, naming each', async (_, check) => {
    const { bundle, cache } = fresh();
    await damage(bundle);
    const messages = await messagesOf(check(bundle, { cache }));
    expect(messages.length).toBe(words.length);
    for (const [index, word] of words.entries()) expect(messages[index]).toContain(word);
  });

  it('is refused as one .tar as well', async () => {
    const { bundle, cache } = fresh();
    const tar = `${bundle}.tar`;
    await damage(bundle);
    await execa('tar', ['-c', '-C', bundle, '-f', tar, '.']);
    expect((await messagesOf(openBundle(tar, { cache }))).length).toBe(words.length);
  });
});

describe('a bundle as one .tar', () => {
  it('opens like its folder, and is unpacked once', async () => {
    const { bundle, cache } = fresh();
    const tar = `${bundle}.tar`;
    await writeBundleTar(bundle, catalogue, tar);
    const first = await openBundle(tar, { cache });
    const second = await openBundle(tar, { cache });
    expect(second.folder).toBe(first.folder);
    expect(await readFile(first.binary('unzstd').file, 'utf8')).toBe('what unpacks it');
  });

  it('is the same bytes for the same bundle', async () => {
    const { bundle } = fresh();
    await writeBundleTar(bundle, catalogue, `${bundle}-1.tar`);
    await writeBundleTar(bundle, catalogue, `${bundle}-2.tar`);
    expect(await readFile(`${bundle}-1.tar`)).toEqual(await readFile(`${bundle}-2.tar`));
  });

  it('that was replaced is unpacked again', async () => {
    const { bundle, cache } = fresh();
    const tar = `${bundle}.tar`;
    await writeBundleTar(bundle, catalogue, tar);
    await openBundle(tar, { cache });
    await writeFile(tar, 'no tar at all');
    expect((await messagesOf(openBundle(tar, { cache }))).length).toBe(1);
  });
});

describe('the cached hashes of a bundle', () => {
  it('are used for an unchanged member, but not by a verification', async () => {
    const { bundle, cache } = fresh();
    const [name = ''] = await readdir(join(cache, 'stamps'));
    const home = join(cache, 'stamps', name);
    const forged = (await readFile(home, 'utf8')).replaceAll(sha256('three images'), sha256('forged'));
    await writeFile(home, forged);
    expect(await messagesOf(openBundle(bundle, { cache }))).toEqual([
      'bundle member images/control-plane.tar is damaged',
    ]);
    expect(await verifyBundle(bundle, { cache })).toEqual(catalogue);
  });

  it('may be missing or unreadable', async () => {
    const { bundle, cache } = fresh();
    const [name = ''] = await readdir(join(cache, 'stamps'));
    await writeFile(join(cache, 'stamps', name), '[');
    expect((await openBundle(bundle, { cache })).catalogue).toEqual(catalogue);
  });
});

it('a path that does not exist is refused, with what to do next', async () => {
  const error = await openBundle(join(home, 'nowhere'), { cache: home }).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(Failure);
  expect(error).toMatchObject({ code: 'preflight', next: expect.stringContaining('kbs bundle build') });
});

const messagesOf = async (attempt: Promise<unknown>): Promise<readonly string[]> => {
  const error = await attempt.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (error instanceof Failures) return error.failures.map(({ message }) => message);
  if (error instanceof Failure) return [error.message];
  return [];
};
