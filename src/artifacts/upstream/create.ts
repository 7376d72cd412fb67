import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { defined } from '../../defined.js';
import { Failure } from '../../failure.js';
import type { Arch } from '../arch.js';
import { assemble, type MadeBundle, type Part } from '../assemble.js';
import { upstreamBundle } from '../bundle.js';
import type { Component } from '../bundle-catalogue.js';
import { below, type PackedMember, packArchive, packBinary } from '../bundle-members.js';
import { cacheFolder, sweep } from '../cache.js';
import { known } from '../catalogue.js';
import type { Offer } from '../packages/apt.js';
import type { Distribution } from '../packages/distributions.js';
import { makeRepository } from '../packages/repository.js';
import { gzipPacker } from '../packer.js';
import type { Release } from '../release.js';
import { requirePlace } from '../write-bundle.js';
import { chartsOf } from './charts.js';
import { type FetchedFile, Fetcher, type FetchOptions } from './fetch.js';
import { pullImage } from './image.js';
import { type Merge, mergeWith } from './merge.js';
import type { Mirrors } from './mirrors.js';
import { allOf } from './not-downloaded.js';
import { knownPins, type Pins } from './pins.js';
import { packProbe } from './probe.js';
import { type SourceFile, type SourceImage, sourcesOf } from './sources.js';
import { unpackPrograms } from './unpack.js';

/**
 * Makes a bundle of what the projects publish: programs and images are downloaded and their digests checked, and nothing
 * is compiled. Every download that fails is named in one Failures; what arrived is kept, and gone on with the next time.
 */
export const createBundle = async (options: CreateOptions): Promise<MadeBundle> => {
  const release = known(options.version);
  const cache = options.cache ?? cacheFolder();
  const usual = upstreamBundle(release.kubernetes, cache);
  const into = options.into ?? usual;
  const merge = await mergeWith(options.into === undefined ? usual : undefined, options);
  await requirePlace(into);
  const build = join(cache, 'build');
  await mkdir(build, { recursive: true });
  for (const each of ['build', 'bundles']) await sweep(join(cache, each));

  const downloads = await downloadAll(release, merge, join(cache, 'downloads'), options);
  const parts: Part[] = [...merge.kept];
  for (const arch of merge.wanted) {
    options.onPack?.(arch);
    parts.push(
      await packPart(release, arch, downloads, build, {
        ...options,
        addons: merge.addons,
        packages: merge.packages(arch),
      }),
    );
  }
  const charts = merge.addons ? await chartsOf(release, build, options) : undefined;
  return assemble({
    kubernetes: release.kubernetes,
    parts,
    ...defined({ charts }),
    into,
    usual,
    cache,
  });
};

export interface CreateOptions {
  /** Without a leading v. */
  readonly version: string;
  /** This machine's own when absent. In a bundle of the cache, the others that it has stay. */
  readonly architectures?: readonly Arch[];
  /** The folder to make, or the `.tar`; a folder of the cache when absent. */
  readonly into?: string;
  /** kbs's cache folder; the user's own when absent. */
  readonly cache?: string;
  /** Whether the bundle is to hold what add-ons need: helm, their images, their charts. Default: no. */
  readonly addons?: boolean;
  readonly mirrors?: Mirrors;
  /** In place of those that kbs knows. */
  readonly pins?: Pins;
  /** Armored public keys, in place of those that kbs has for a signer. */
  readonly keys?: FetchOptions['keys'];
  /** Whose haproxy and keepalived to bring along, with all they depend on, by this machine's apt-get; none when absent. */
  readonly packages?: readonly Distribution[];
  /** In place of the folder of kbs's package that has its own programs, built. */
  readonly ownPrograms?: string;
  /** Ends it with its reason when it aborts: at once while bytes arrive, else after the file that is packed. */
  readonly signal?: AbortSignal | undefined;
  /** Hears of bytes as they arrive. */
  readonly onBytes?: (count: number) => void;
  /** Hears of each download that is there: number `n` of `of`. */
  readonly onDownload?: (name: string, n: number, of: number) => void;
  /** Hears that what was downloaded for an architecture is packed now. */
  readonly onPack?: (arch: Arch) => void;
}

/** What was downloaded, by architecture and name. */
interface Downloads {
  file(source: SourceFile, arch: Arch): FetchedFile;
  image(source: SourceImage, arch: Arch): PulledImage;
}

type PulledImage = Awaited<ReturnType<typeof pullImage>>;

const downloadAll = async (
  release: Release,
  { wanted, addons }: Merge,
  folder: string,
  { mirrors = {}, pins = knownPins, keys, signal, onBytes = () => {}, onDownload = () => {} }: CreateOptions,
): Promise<Downloads> => {
  const fetcher = new Fetcher({ folder, mirrors, pins, keys, signal, onBytes });
  const files = new Map<string, FetchedFile>();
  const images = new Map<string, PulledImage>();
  const tasks = wanted.flatMap((arch) => {
    const sources = sourcesOf(release, arch, { addons });
    const context = { arch, folder, mirrors, pins, signal, fetch: fetcher.fetch.bind(fetcher) };
    return [
      ...sources.files.map((source) => ({
        name: `${source.name} ${source.version} for ${arch}`,
        where: source.url,
        run: async () => void files.set(source.url, await fetcher.file(source)),
      })),
      ...sources.images.map((source) => ({
        name: `${source.published} for ${arch}`,
        where: source.published,
        run: async () => void images.set(`${source.published} ${arch}`, await pullImage(source, context)),
      })),
    ];
  });
  await allOf(tasks, { signal, onDone: onDownload });
  return {
    file: ({ url }) => files.get(url) ?? absent(url),
    image: ({ published }, arch) => images.get(`${published} ${arch}`) ?? absent(published),
  };
};

/** What the disk refuses passes. */
const notUnpacked = ({ name, version, url, checksum }: SourceFile, cause: unknown): unknown =>
  cause instanceof Error && 'syscall' in cause
    ? cause
    : new Failure('preflight', `${name} ${version} cannot be unpacked`, {
        where: { resource: url },
        why: [cause instanceof Error ? cause.message : String(cause)],
        next: `it is as ${checksum} says: if a mirror stands in for that host, see what it has there`,
        cause,
      });

const absent = (name: string): never => {
  throw new Error(`${name} was not downloaded`);
};

const packPart = async (
  release: Release,
  arch: Arch,
  downloads: Downloads,
  cache: string,
  { addons = false, ownPrograms, packages = [], signal }: CreateOptions,
): Promise<Part> => {
  const { files, images } = sourcesOf(release, arch, { addons });
  const context = { cache, arch, ...defined({ signal }) };
  const members: PackedMember[] = [];
  for (const source of files) {
    signal?.throwIfAborted();
    const programs = await unpackPrograms(source, downloads.file(source, arch), cache).catch((cause: unknown) => {
      throw notUnpacked(source, cause);
    });
    for (const { name } of source.holds) {
      const program = programs.get(name) ?? absent(name);
      members.push(await packBinary(name, program, { packer: gzipPacker, cache }));
    }
  }
  for (const { name, images: held } of release.archives) {
    signal?.throwIfAborted();
    const pulled = images.filter((source) => held.includes(source.name)).map((each) => downloads.image(each, arch));
    if (pulled.length > 0) members.push(await packArchive(name, pulled, context));
  }
  const probe = await packProbe(release, context, ownPrograms);
  members.push(probe.packed);
  const repositories = new Map<Distribution, PackedMember & { readonly packages: readonly Offer[] }>();
  for (const distribution of packages) {
    repositories.set(distribution, await makeRepository(release.hostPackages, context, distribution));
  }
  members.push(...repositories.values());
  const placed = members.map((member) => below(arch, member));
  return {
    arch,
    members: placed,
    catalogue: {
      components: [
        ...files.map((source): Component => {
          const { sha256 } = downloads.file(source, arch);
          return { name: source.name, version: source.version, from: source.url, sha256 };
        }),
        ...images.map((source): Component => {
          const { manifest } = downloads.image(source, arch);
          return { name: source.name, version: source.version, from: source.published, sha256: manifest.sha256 };
        }),
        probe.component,
        ...[...repositories].flatMap(([from, { packages: offers }]) =>
          offers.map(({ name, version, sha256 }): Component => ({ name, version, from, sha256 })),
        ),
      ],
      binaries: placed.flatMap(({ binary }) => binary ?? []),
      archives: placed.flatMap(({ archive }) => archive ?? []),
      ...(repositories.size === 0
        ? {}
        : {
            repositories: Object.fromEntries(
              [...repositories].map(([distribution, made]) => [distribution, below(arch, made).member.file]),
            ),
          }),
    },
  };
};
