import {
  appendFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archOfThisMachine } from '../../src/artifacts/arch.js';
import { defaultBundle, openBundle, verifyBundle } from '../../src/artifacts/bundle.js';
import { type BundleCatalogue, printCatalogue } from '../../src/artifacts/bundle-catalogue.js';
import { writeBundleTar } from '../../src/artifacts/bundle-tar.js';
import { writeBundle } from '../../src/artifacts/write-bundle.js';
import { Failure, Failures } from '../../src/failure.js';
import { sha256 } from '../../src/secret.js';

const texts: Readonly<Record<string, string>> = {
  'amd64/binaries/kubelet.zst': 'the kubelet, packed',
  'amd64/binaries/unzstd': 'what unpacks it',
  'amd64/images/control-plane.tar': 'three images',
  'amd64/packages/debian-12.tar': 'an apt repository',
  'arm64/binaries/unzstd': 'what unpacks it there',
  'charts/web-1.0.0.tgz': 'a chart',
};
const catalogue: BundleCatalogue = {
  format: 2,
  kubernetes: '1.36.3',
  architectures: {
    amd64: {
      components: [
        { name: 'kubelet', version: '1.36.3', from: 'k8s.io/kubernetes v1.36.3' },
        { name: 'haproxy', version: '2.6.12-1+deb12u4', from: 'debian', sha256: sha256('haproxy') },
      ],
      binaries: [
        { name: 'kubelet', file: 'amd64/binaries/kubelet.zst', size: 1000, sha256: sha256('the kubelet') },
        { name: 'unzstd', file: 'amd64/binaries/unzstd', size: 15, sha256: sha256('what unpacks it') },
      ],
      archives: [
        {
          name: 'control-plane',
          file: 'amd64/images/control-plane.tar',
          images: (['kube-apiserver', 'kube-scheduler'] as const).map((name) => ({
            name,
            reference: `kbs.local/${name}:v1.36.3`,
            digest: `sha256:${sha256(name)}`,
          })),
        },
      ],
      repositories: { 'debian-12': 'amd64/packages/debian-12.tar' },
    },
    arm64: {
      components: [],
      binaries: [{ name: 'unzstd', file: 'arm64/binaries/unzstd', size: 21, sha256: sha256('what unpacks it there') }],
      archives: [],
      repositories: { 'debian-12': 'arm64/packages/debian-12.tar' },
    },
  },
  charts: [{ addon: 'web', name: 'web', version: '1.0.0', file: 'charts/web-1.0.0.tgz', from: 'example.com/web' }],
  members: Object.entries(texts).map(([file, text]) => ({ file, size: text.length, sha256: sha256(text) })),
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
}, 60_000);
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

describe('charts of add-ons', () => {
  it('are read into memory', async () => {
    const { bundle, cache } = fresh();
    const { tgz, ...chart } = (await openBundle(bundle, { cache })).chart('web');
    expect(chart).toEqual({ name: 'web', version: '1.0.0', sha256: sha256('a chart') });
    expect(Buffer.from(tgz).toString()).toBe('a chart');
  });

  it('and all else that only add-ons need may be missing, and then its absence says how to have it', async () => {
    const { bundle, cache } = fresh();
    const { charts: _, ...older } = catalogue;
    await writeFile(join(bundle, 'catalogue.json'), printCatalogue(older));
    const opened = await openBundle(bundle, { cache });
    for (const missing of [
      () => opened.chart('web'),
      () => opened.of('amd64').binary('helm'),
      () => opened.of('amd64').image('busybox'),
    ]) {
      expect(missing).toThrowError(expect.objectContaining({ next: expect.stringContaining('bundle build --addons') }));
    }
  });
});

describe('a whole bundle', () => {
  it('gives the paths, sizes and digests of its binaries and archives', async () => {
    const { bundle, cache } = fresh();
    const opened = (await openBundle(bundle, { cache })).of('amd64');
    expect(opened.binary('kubelet')).toEqual({
      name: 'kubelet',
      sha256: sha256('the kubelet'),
      size: 1000,
      file: join(bundle, 'amd64/binaries/kubelet.zst'),
      packedSize: 19,
      packing: 'zstd',
    });
    expect(opened.binary('unzstd').packing).toBe('none');
    expect(opened.image('kube-apiserver').archive.file).toBe(join(bundle, 'amd64/images/control-plane.tar'));
    expect(opened.repository('debian-12')).toMatchObject({ size: 17, packedSize: 17, packing: 'none' });
    expect(opened.repository('debian-12')?.file).toBe(join(bundle, 'amd64/packages/debian-12.tar'));
  });

  it('gives each architecture its own', async () => {
    const { bundle, cache } = fresh();
    const opened = await openBundle(bundle, { cache });
    expect(opened.architectures).toEqual(['amd64', 'arm64']);
    expect(opened.of('arm64').binary('unzstd')).toMatchObject({
      sha256: sha256('what unpacks it there'),
      file: join(bundle, 'arm64/binaries/unzstd'),
    });
    expect(() => opened.of('arm64').binary('kubelet')).toThrow('the bundle does not list kubelet');
  });

  it('gives one and the same archive for images that travel together', async () => {
    const { bundle, cache } = fresh();
    const opened = (await openBundle(bundle, { cache })).of('amd64');
    expect(opened.image('kube-apiserver')).toBe(opened.image('kube-scheduler'));
  });

  it('names the artifact that it does not hold', async () => {
    const { bundle, cache } = fresh();
    const opened = (await openBundle(bundle, { cache })).of('amd64');
    expect(() => opened.binary('runc')).toThrow('the bundle does not list runc');
    expect(() => opened.image('coredns')).toThrow('the bundle does not list coredns');
    const without = catalogue.members.filter(({ file }) => !file.startsWith('amd64/packages/'));
    await writeFile(join(bundle, 'catalogue.json'), printCatalogue({ ...catalogue, members: without }));
    const older = (await openBundle(bundle, { cache })).of('amd64');
    expect(() => older.repository('debian-12')).toThrow('the bundle does not list amd64/packages/debian-12.tar');
  });

  it('passes a full verification', async () => {
    const { bundle, cache } = fresh();
    expect(await verifyBundle(bundle, { cache })).toEqual(catalogue);
  });
});

describe('a bundle of an earlier kbs', () => {
  const { amd64 } = catalogue.architectures;
  const flat = <T extends { readonly file: string }>(all: readonly T[]): readonly T[] =>
    all.map((each) => ({ ...each, file: each.file.replace('amd64/', '') }));

  const earlier = async () => {
    const copy = fresh();
    for (const name of ['binaries', 'images', 'packages']) {
      await rename(join(copy.bundle, 'amd64', name), join(copy.bundle, name));
    }
    const { components = [], binaries = [], archives = [] } = amd64 ?? {};
    const members = flat(catalogue.members.filter(({ file }) => file.startsWith('amd64/')));
    const first = { format: 1, kubernetes: '1.36.3', arch: 'amd64', components, members };
    const text = { ...first, binaries: flat(binaries), archives: flat(archives) };
    const sealed = { ...text, sha256: sha256(JSON.stringify(text)) };
    await writeFile(join(copy.bundle, 'catalogue.json'), JSON.stringify(sealed));
    return copy;
  };

  it('opens as one for its architecture alone', async () => {
    const { bundle, cache } = await earlier();
    const opened = await openBundle(bundle, { cache });
    expect(opened.architectures).toEqual(['amd64']);
    expect(opened.of('amd64').binary('kubelet').file).toBe(join(bundle, 'binaries/kubelet.zst'));
    expect(opened.of('amd64').repository('debian-12')?.file).toBe(join(bundle, 'packages/debian-12.tar'));
    expect((await verifyBundle(bundle, { cache })).format).toBe(2);
  });

  it('has the repository of Debian 12 where it stood by itself', async () => {
    const { bundle, cache } = fresh();
    const [text = ''] = [printCatalogue(catalogue)];
    const { sha256: _, ...before } = JSON.parse(
      text.replaceAll(/"repositories": \{\s*"debian-12": ("[^"]+")\s*\}/g, '"repository": $1'),
    );
    const sealed = { ...before, sha256: sha256(JSON.stringify(before)) };
    await writeFile(join(bundle, 'catalogue.json'), JSON.stringify(sealed));
    expect((await verifyBundle(bundle, { cache })).architectures).toEqual(catalogue.architectures);
  });

  it('gives an architecture that it lacks names without content', async () => {
    const { bundle, cache } = await earlier();
    const lacked = (await openBundle(bundle, { cache })).of('arm64');
    expect(lacked.binary('kubelet')).toMatchObject({ name: 'kubelet arm64 (not built)', size: 0 });
    expect(lacked.image('kube-apiserver').images.map(({ reference }) => reference)).toEqual([
      'kbs.local/kube-apiserver:v1.36.3',
      'kbs.local/kube-scheduler:v1.36.3',
    ]);
  });

  it('is found where it was built to, until there is another one', async () => {
    const cache = join(home, 'default');
    const old = join(cache, 'bundles', `1.36.3-${archOfThisMachine()}`);
    expect(defaultBundle('1.36.3', cache)).toBe(join(cache, 'bundles/1.36.3'));
    await mkdir(old, { recursive: true });
    expect(defaultBundle('1.36.3', cache)).toBe(old);
    await mkdir(join(cache, 'bundles/1.36.3'));
    expect(defaultBundle('1.36.3', cache)).toBe(join(cache, 'bundles/1.36.3'));
  });
});

/** What is done to a bundle, and the words that the failure must hold. */
const damages: readonly (readonly [string, (bundle: string) => Promise<unknown>, readonly string[]])[] = [
  ['a missing member', (bundle) => rm(join(bundle, 'amd64/binaries/unzstd')), ['amd64/binaries/unzstd is missing']],
  [
    'a truncated member',
    (bundle) => truncate(join(bundle, 'amd64/binaries/unzstd'), 3),
    ['amd64/binaries/unzstd is damaged'],
  ],
  [
    'a longer member',
    (bundle) => appendFile(join(bundle, 'amd64/binaries/unzstd'), '!'),
    ['amd64/binaries/unzstd is damaged'],
  ],
  [
    'a changed byte',
    (bundle) => writeFile(join(bundle, 'amd64/binaries/unzstd'), 'What unpacks it'),
    ['amd64/binaries/unzstd is damaged'],
  ],
  [
    'a changed byte under the old date',
    async (bundle) => {
      const file = join(bundle, 'amd64/binaries/unzstd');
      const { atime, mtime } = await stat(file);
      await writeFile(file, 'What unpacks it');
      await utimes(file, atime, mtime);
    },
    ['amd64/binaries/unzstd is damaged'],
  ],
  [
    'a folder in the place of a member',
    async (bundle) => {
      await rm(join(bundle, 'amd64/binaries/unzstd'));
      await mkdir(join(bundle, 'amd64/binaries/unzstd'));
    },
    ['amd64/binaries/unzstd is damaged'],
  ],
  [
    'several of them',
    async (bundle) => {
      await rm(join(bundle, 'amd64/binaries/unzstd'));
      await truncate(join(bundle, 'amd64/images/control-plane.tar'), 0);
    },
    ['amd64/binaries/unzstd is missing', 'amd64/images/control-plane.tar is damaged'],
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
      await writeFile(file, (await readFile(file, 'utf8')).replace('"format": 2', '"format": 3'));
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
    expect(await readFile(first.of('amd64').binary('unzstd').file, 'utf8')).toBe('what unpacks it');
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
  const forged = ['bundle member amd64/images/control-plane.tar is damaged'];
  const forge = async (cache: string) => {
    const [name = ''] = await readdir(join(cache, 'stamps'));
    const file = join(cache, 'stamps', name);
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll(sha256('three images'), sha256('forged')));
  };

  it('are used for an unchanged member, but not by a verification', async () => {
    const { bundle, cache } = fresh();
    await forge(cache);
    expect(await messagesOf(openBundle(bundle, { cache }))).toEqual(forged);
    expect(await verifyBundle(bundle, { cache })).toEqual(catalogue);
  });

  it('are used whichever path leads to the bundle', async () => {
    const { bundle, cache } = fresh();
    const link = `${bundle}-link`;
    await symlink(bundle, link);
    await openBundle(link, { cache });
    await forge(cache);
    for (const path of [link, bundle]) expect(await messagesOf(openBundle(path, { cache }))).toEqual(forged);
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
  expect(error).toMatchObject({ code: 'preflight', next: expect.stringContaining('kbs bundle create') });
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
