import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archOfThisMachine } from '../../src/artifacts/arch.js';
import { type Built, buildProgram } from '../../src/artifacts/build/go-modules.js';
import { knownVersions, releaseOf } from '../../src/artifacts/catalogue.js';
import { sha256OfFile } from '../../src/artifacts/digest.js';
import { describeImage, type Image, layoutOf } from '../../src/artifacts/image.js';
import { makeLayer } from '../../src/artifacts/layer.js';
import { zstdPacker } from '../../src/artifacts/packer.js';
import type { ImageRecipe, LayerRecipe } from '../../src/artifacts/release.js';
import { sha256 } from '../../src/secret.js';
import { lacks } from '../support/needs.js';

const packer = releaseOf(knownVersions()[0] ?? '')?.programs.find(({ name }) => name === 'unzstd');

describe.skipIf(lacks('go'))('images', () => {
  let folder: string;
  let unzstd: Built;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kbs-image-'));
    if (packer) unzstd = await buildProgram(packer, { cache: join(folder, 'build'), arch: archOfThisMachine() });
    await writeFile(join(folder, 'server'), `#!/bin/sh\n${'# filler\n'.repeat(50_000)}`);
  }, 300_000); // on a new machine Go compiles its own library first
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const layer: LayerRecipe = {
    name: 'server',
    programs: { '/usr/local/bin/server': 'server' },
    links: { '/usr/local/bin/client': '/usr/local/bin/server' },
    packages: [],
    baseFiles: true,
  };
  const recipe = (name: string, layers = [layer]): ImageRecipe => ({
    reference: `kbs.local/${name}:1`,
    entrypoint: [name],
    layers,
  });
  const layerIn = (cache: string, wanted = layer, key = 'server-1') =>
    makeLayer(wanted, {
      cache: join(folder, cache),
      packer: zstdPacker(unzstd),
      program: () => ({ file: join(folder, 'server'), key, made: false }),
    });

  it('a layer has the same bytes wherever and whenever it is made', async () => {
    const [one, other] = [await layerIn('one'), await layerIn('other')];
    expect([one.made, other.made]).toEqual([true, true]);
    expect([other.sha256, other.diffId, other.size]).toEqual([one.sha256, one.diffId, one.size]);
    expect(await sha256OfFile(one.file)).toBe(one.sha256);
    expect((await layerIn('one')).made).toBe(false);
  });

  const changes: readonly (readonly [string, LayerRecipe, string])[] = [
    ['another program', layer, 'server-2'],
    ['another path', { ...layer, programs: { '/bin/server': 'server' } }, 'server-1'],
    ['another link', { ...layer, links: {} }, 'server-1'],
    ['no base files', { ...layer, baseFiles: false }, 'server-1'],
  ];
  it.each(changes)('%s makes another layer', async (_, wanted, key) => {
    await layerIn('changes');
    expect((await layerIn('changes', wanted, key)).made).toBe(true);
  });

  it('a layer unpacks to its programs, its links and its base files', async () => {
    const { file, diffId } = await layerIn('one');
    const root = join(folder, 'root');
    await execa('mkdir', [root]);
    await execa(unzstd.file, { stdin: { file }, stdout: { file: `${root}.tar` }, buffer: false });
    await execa('tar', ['-x', '-C', root, '-f', `${root}.tar`]);
    expect(await sha256OfFile(`${root}.tar`)).toBe(diffId);
    expect((await readdir(join(root, 'etc'))).sort()).toEqual(['group', 'nsswitch.conf', 'passwd']);
    const { stdout } = await execa('stat', ['-c', '%i %a', 'server', 'client'], { cwd: join(root, 'usr/local/bin') });
    const [server, client] = stdout.split('\n');
    expect(client).toBe(server);
    expect(server).toMatch(/ 755$/);
  });

  it('an archive is an OCI layout: every digest matches its blob, and a shared layer is in it once', async () => {
    const shared = await layerIn('one');
    const images = ['one', 'two'].map((name) => describeImage(recipe(name), [shared], 'amd64'));
    const root = await layoutIn('layout', images);
    expect(await json(root, 'oci-layout')).toEqual({ imageLayoutVersion: '1.0.0' });

    const names = await readdir(join(root, 'blobs/sha256'));
    expect(names.length).toBe(5); // two manifests, two configs, one layer
    for (const name of names) expect(await sha256OfFile(join(root, 'blobs/sha256', name))).toBe(name);

    const index = (await json(root, 'index.json')) as Index;
    expect(index.manifests.map(({ annotations }) => annotations['io.containerd.image.name'])).toEqual([
      'kbs.local/one:1',
      'kbs.local/two:1',
    ]);
    for (const { digest, size } of index.manifests) {
      const text = await blob(root, digest);
      expect(Buffer.byteLength(text)).toBe(size);
      const manifest = JSON.parse(text) as Manifest;
      const config = JSON.parse(await blob(root, manifest.config.digest)) as Config;
      expect(manifest.layers.map((each) => each.digest)).toEqual([`sha256:${shared.sha256}`]);
      expect(config.rootfs.diff_ids).toEqual([`sha256:${shared.diffId}`]);
    }
  });

  it('two archives of the same images are the same bytes', async () => {
    const images = [describeImage(recipe('one'), [await layerIn('one')], 'amd64')];
    await layoutIn('a', images);
    await layoutIn('b', images);
    expect(await sha256OfFile(join(folder, 'a.tar'))).toBe(await sha256OfFile(join(folder, 'b.tar')));
  });

  const layoutIn = async (name: string, images: readonly Image[]): Promise<string> => {
    const root = join(folder, name);
    await pipeline(layoutOf(images, 'amd64'), createWriteStream(`${root}.tar`));
    await execa('mkdir', [root]);
    await execa('tar', ['-x', '-C', root, '-f', `${root}.tar`]);
    return root;
  };
});

it('the digest of an image depends on its entrypoint and its architecture', () => {
  const layers = [{ file: '', mediaType: 'x', size: 1, sha256: sha256('a'), diffId: sha256('b') }];
  const recipe: ImageRecipe = { reference: 'kbs.local/a:1', entrypoint: ['a'], layers: [] };
  const digest = (wanted: ImageRecipe, arch: 'amd64' | 'arm64') => describeImage(wanted, layers, arch).manifest.sha256;
  expect(digest(recipe, 'amd64')).toBe(digest({ ...recipe, reference: 'kbs.local/b:2' }, 'amd64'));
  expect(digest(recipe, 'amd64')).not.toBe(digest({ ...recipe, entrypoint: ['b'] }, 'amd64'));
  expect(digest(recipe, 'amd64')).not.toBe(digest(recipe, 'arm64'));
});

const json = async (root: string, path: string): Promise<unknown> =>
  JSON.parse(await readFile(join(root, path), 'utf8'));
const blob = (root: string, digest: string) => readFile(join(root, 'blobs', digest.replace(':', '/')), 'utf8');

interface Index {
  readonly manifests: readonly {
    readonly digest: string;
    readonly size: number;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}
interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}
interface Config {
  readonly rootfs: { readonly diff_ids: readonly string[] };
}
