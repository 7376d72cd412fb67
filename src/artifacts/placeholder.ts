import { sha256 } from '../secret.js';
import { type Arch, architectures } from './arch.js';
import type {
  Artifacts,
  Chart,
  HostArtifacts,
  ImageArchive,
  ImageName,
  StoredArtifacts,
  StoredFile,
} from './artifacts.js';
import { type BuiltName, builtFor } from './bundle-catalogue.js';
import { knownVersions, releaseOf } from './catalogue.js';
import { type Access, publishedArtifacts } from './published.js';
import type { Release } from './release.js';
import { sourcesOf } from './upstream/sources.js';

/**
 * The artifacts of a version by name, for planning before a bundle exists, for every architecture. References and
 * grouping are those of the bundle; sizes are zero, and a digest is that of a name: the same at every call, and no real
 * content's. `upstream`: as a bundle of what the projects publish has them; with `access`, as hosts download it themselves.
 */
export const placeholderArtifacts = (
  version: string,
  { upstream = false, access }: { readonly upstream?: boolean; readonly access?: Access } = {},
): Artifacts => {
  const release = releaseOf(version);
  if (!release) throw new Error(`the catalogue knows ${knownVersions().join(', ')} and not ${version}`);
  const of = (arch: Arch): HostArtifacts => {
    if (access !== undefined) return downloaded(arch, release, access);
    return upstream ? published(arch, release) : built(arch, release);
  };
  const held = { amd64: of('amd64'), arm64: of('arm64') };
  return { architectures, of: (arch) => held[arch], chart: (addon) => unbuiltChart(release, addon) };
};

/** In place of a chart that is not in a bundle. */
export const unbuiltChart = ({ charts }: Pick<Release, 'charts'>, addon: string): Chart => {
  const { name = addon, version = '' } = charts.find((each) => each.addon === addon) ?? {};
  return { name, version, sha256: sha256(`chart ${name} ${version} (not built)`), tgz: new Uint8Array() };
};

const published = (arch: Arch, release: Release): StoredArtifacts => {
  const { images } = sourcesOf(release, arch, { addons: true });
  const references = Object.fromEntries(images.map(({ name, reference }) => [name, reference]));
  return {
    ...built(arch, release, references),
    binary: (name) => unbuilt(`${name} ${versionOf(release, release.binaries[builtFor(name)])}`, arch),
    unpacker: () => undefined,
    repository: () => undefined,
  };
};

const downloaded = (arch: Arch, release: Release, access: Access): HostArtifacts => {
  const rest = published(arch, release);
  const { files, images } = sourcesOf(release, arch, { addons: true });
  const unknown = (what: string) => sha256(title(what, arch));
  const found = publishedArtifacts(
    {
      binaries: files.flatMap(({ url, holds }) =>
        holds.map((held) => ({ ...held, url, sha256: unknown(url), saidBy: 'its checksum' })),
      ),
      images: images.map(({ name, published: from, reference }) => ({
        name,
        published: from,
        reference,
        digest: `sha256:${unknown(reference)}`,
      })),
    },
    { ...access, arch },
  );
  return {
    ...rest,
    binary: (name) => found.binary(name) ?? rest.binary(name),
    image: (name) => found.image(name) ?? rest.image(name),
  };
};

const built = (arch: Arch, release: Release, references: Partial<Record<ImageName, string>> = {}): StoredArtifacts => {
  const archives = release.archives.map(({ name, images }) => ({
    holds: images,
    archive: unbuiltArchive(
      name,
      images.map((image) => references[image] ?? release.images[image].reference),
      arch,
    ),
  }));
  return {
    binary: (name) => unbuiltProgram(builtFor(name), release, arch),
    unpacker: () => unbuiltProgram('unzstd', release, arch),
    image: (name) => {
      const found = archives.find(({ holds }) => holds.includes(name));
      if (!found) throw new Error(`no archive of ${release.kubernetes} holds ${name}`);
      return found.archive;
    },
    repository: (distribution) => (distribution === 'debian-12' ? unbuilt('repository', arch) : undefined),
  };
};

/** In place of what `built` is, for an architecture that its bundle lacks. */
export const unbuiltFor = (arch: Arch, built: HostArtifacts): StoredArtifacts => ({
  binary: (name) => unbuilt(built.binary(name).name, arch),
  unpacker: () => (built.unpacker() === undefined ? undefined : unbuilt('unzstd', arch)),
  image: (name) => {
    const found = built.image(name);
    return unbuiltArchive(
      'archive' in found ? found.archive.name : name,
      found.images.map(({ reference }) => reference),
      arch,
    );
  },
  repository: (distribution) =>
    built.repository(distribution) === undefined ? undefined : unbuilt('repository', arch),
});

const unbuiltArchive = (name: string, references: readonly string[], arch: Arch): ImageArchive => ({
  archive: unbuilt(`archive ${name}`, arch),
  images: references.map((reference) => ({ reference, digest: `sha256:${sha256(title(reference, arch))}` })),
});

const unbuilt = (name: string, arch: Arch): StoredFile => ({
  name: title(name, arch),
  sha256: sha256(title(name, arch)),
  size: 0,
  file: '(not built)',
  packedSize: 0,
  packing: 'none',
});

const title = (name: string, arch: Arch): string => `${name}${arch === 'amd64' ? '' : ` ${arch}`} (not built)`;

const unbuiltProgram = (name: BuiltName, release: Release, arch: Arch): StoredFile =>
  unbuilt(`${name} ${versionOf(release, release.binaries[name])}`, arch);

const versionOf = (release: Release, program: string): string =>
  release.programs.find(({ name }) => name === program)?.version ?? '';
