import { createWriteStream } from 'node:fs';
import { copyFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Arch } from './arch.js';
import type { ImageName } from './artifacts.js';
import type { BuildContext } from './build/context.js';
import type { Built } from './build/go-modules.js';
import type { Member, PackedArchive, PackedBinary, PackedChart, PackedName } from './bundle-catalogue.js';
import { buildCached, keyOf } from './cache.js';
import { sha256OfFile } from './digest.js';
import { describeImage, type Image, layoutOf } from './image.js';
import type { Layer, LayerParts } from './layer.js';
import type { ArchiveRecipe, Release } from './release.js';

/** A file for a bundle as it lies in the cache, and what the catalogue says of it. */
export interface PackedMember {
  readonly source: string;
  readonly member: Member;
  readonly binary?: PackedBinary;
  readonly archive?: PackedArchive;
  readonly chart?: PackedChart;
  readonly made: boolean;
}

/** The same in a folder of its architecture, for a bundle may hold several. */
export const below = (arch: Arch, packed: PackedMember): PackedMember => {
  const moved = <T extends { readonly file: string }>(of: T): T => ({ ...of, file: `${arch}/${of.file}` });
  return {
    ...packed,
    member: moved(packed.member),
    ...(packed.binary ? { binary: moved(packed.binary) } : {}),
    ...(packed.archive ? { archive: moved(packed.archive) } : {}),
  };
};

/** A program for hosts, packed; what unpacks the others goes as it is. */
export const packBinary = async (
  name: PackedName,
  built: Pick<Built, 'file' | 'key'>,
  { packer, cache }: Pick<LayerParts, 'packer' | 'cache'>,
): Promise<PackedMember> => {
  const plain = name === 'unzstd';
  const file = plain ? `binaries/${name}` : `binaries/${name}${packer.suffix}`;
  const key = keyOf(`packed-${name}`, [built.key, packer.key, plain]);
  const { folder, made } = await buildCached(cache, key, async (into) => {
    const target = join(into, 'packed');
    await (plain ? copyFile(built.file, target) : packer.pack(built.file, target));
    await writeMetadata(into, { packed: await measure(target), content: await measure(built.file) });
  });
  const { packed, content } = await readMetadata<{ packed: Measure; content: Measure }>(folder);
  return { source: join(folder, 'packed'), member: { file, ...packed }, binary: { name, file, ...content }, made };
};

/** The images of one archive, made of layers. */
export const makeArchive = (
  recipe: ArchiveRecipe,
  release: Release,
  layer: (name: string) => Layer,
  context: BuildContext,
): Promise<PackedMember> => {
  const described = recipe.images.map((name) => {
    const { layers, ...image } = release.images[name];
    return {
      name,
      ...describeImage(
        { ...image, layers },
        layers.map((each) => layer(each.name)),
        context.arch,
      ),
    };
  });
  return packArchive(recipe.name, described, context);
};

/** Images as an OCI layout in a tar. Their layers are packed already. */
export const packArchive = async (
  name: string,
  described: readonly (Image & { readonly name: ImageName })[],
  { cache, arch }: BuildContext,
): Promise<PackedMember> => {
  const key = keyOf(
    `archive-${name}`,
    described.map(({ reference, manifest }) => [reference, manifest.sha256]),
  );
  const { folder, made } = await buildCached(cache, key, async (into) => {
    await pipeline(layoutOf(described, arch), createWriteStream(join(into, 'archive.tar')));
    await writeMetadata(into, await measure(join(into, 'archive.tar')));
  });
  const file = `images/${name}.tar`;
  const images = described.map(({ name: image, reference, manifest }) => ({
    name: image,
    reference,
    digest: `sha256:${manifest.sha256}`,
  }));
  return {
    source: join(folder, 'archive.tar'),
    member: { file, ...(await readMetadata<Measure>(folder)) },
    archive: { name, file, images },
    made,
  };
};

export interface Measure {
  readonly size: number;
  readonly sha256: string;
}

export const measure = async (file: string): Promise<Measure> => ({
  size: (await stat(file)).size,
  sha256: await sha256OfFile(file),
});

/** Beside what was made, so that a later run need not measure it again. */
export const writeMetadata = (folder: string, facts: unknown): Promise<void> =>
  writeFile(join(folder, 'facts.json'), JSON.stringify(facts));

export const readMetadata = async <T>(folder: string): Promise<T> =>
  JSON.parse(await readFile(join(folder, 'facts.json'), 'utf8'));
