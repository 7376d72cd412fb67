import { existsSync } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { Failure, Failures } from '../failure.js';
import { type Arch, archOfThisMachine } from './arch.js';
import type {
  Artifacts,
  BinaryName,
  Chart,
  ImageArchive,
  ImageName,
  StoredArtifacts,
  StoredFile,
} from './artifacts.js';
import {
  type ArchCatalogue,
  archesIn,
  type BundleCatalogue,
  builtFor,
  isForAddons,
  type Member,
  parseCatalogue,
} from './bundle-catalogue.js';
import { folderOf } from './bundle-tar.js';
import { cacheFolder } from './cache.js';
import { openHashCache } from './hash-cache.js';
import { unbuiltFor } from './placeholder.js';

/**
 * Opens a bundle, a folder or a `.tar` of one, and gives its artifacts. Every member is there and has the sha256 of
 * the catalogue, or the Failures name each that is missing or damaged. Cheap when nothing changed since the last time.
 */
export const openBundle = async (path: string, options: BundleOptions = {}): Promise<Bundle> => {
  const cache = options.cache ?? cacheFolder();
  const folder = await folderOf(path, cache);
  const catalogue = await readCatalogue(folder);
  await checkMembers(folder, catalogue, { cache, trust: true });
  return { ...artifactsOf(folder, catalogue, await chartsOf(folder, catalogue)), folder, catalogue };
};

/** Hashes every member of a bundle again, whatever is remembered of it; Failures as in `openBundle`. */
export const verifyBundle = async (path: string, options: BundleOptions = {}): Promise<BundleCatalogue> => {
  const cache = options.cache ?? cacheFolder();
  const folder = await folderOf(path, cache);
  const catalogue = await readCatalogue(folder);
  await checkMembers(folder, catalogue, { cache, trust: false });
  return catalogue;
};

export interface Bundle extends Artifacts {
  of(arch: Arch): StoredArtifacts;
  /** The folder that holds the members; for a `.tar`, where it was unpacked to. */
  readonly folder: string;
  readonly catalogue: BundleCatalogue;
}

export interface BundleOptions {
  /** kbs's cache folder; the user's own when absent. */
  readonly cache?: string;
}

/** Where a bundle is built to when nothing else is said. */
export const usualBundle = (version: string, cache = cacheFolder()): string => join(cache, 'bundles', version);

/** Where what hosts do not download themselves lies, with the digests of what they do: kbs's own image, and charts. */
export const hostsBundle = (version: string, cache = cacheFolder()): string => `${usualBundle(version, cache)}-hosts`;

/** Where a bundle is made to from what projects publish. */
export const upstreamBundle = (version: string, cache = cacheFolder()): string =>
  `${usualBundle(version, cache)}-upstream`;

/**
 * Where every command looks for a bundle that the inventory does not name: what was built, also by an earlier kbs, which
 * has this machine's architecture in its name; else what was downloaded.
 */
export const defaultBundle = (version: string, cache = cacheFolder()): string => {
  const usual = usualBundle(version, cache);
  if (existsSync(usual)) return usual;
  const others = [`${usual}-${archOfThisMachine()}`, upstreamBundle(version, cache)];
  return others.find((path) => existsSync(path)) ?? usual;
};

export const readCatalogue = async (folder: string): Promise<BundleCatalogue> => {
  const file = join(folder, 'catalogue.json');
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Failure('preflight', `there is no bundle in ${folder}: catalogue.json cannot be read`, {
      where: { resource: file },
      next: 'make one with `kbs bundle create` or `kbs bundle build`, or name another folder.',
      cause,
    });
  });
  return parseCatalogue(text, file);
};

const checkMembers = async (
  folder: string,
  catalogue: BundleCatalogue,
  { cache, trust }: { readonly cache: string; readonly trust: boolean },
): Promise<void> => {
  // Whichever way leads to it: what was hashed by one is known by the other.
  const real = await realpath(folder);
  const hashes = await openHashCache(cache, real);
  const several = pLimit(4);
  const checked = await Promise.all(
    catalogue.members.map((member) =>
      several(() =>
        wrongWith(join(folder, member.file), member, () => hashes.sha256Of(join(real, member.file), trust)),
      ),
    ),
  );
  const failures = checked.filter((failure) => failure !== undefined);
  if (failures.length > 0) throw new Failures(failures);
  await hashes.keep();
};

const wrongWith = async (
  path: string,
  member: Member,
  digestOf: () => Promise<string>,
): Promise<Failure | undefined> => {
  const found = await stat(path).catch(() => undefined);
  if (!found) return damaged(path, member, 'missing', []);
  if (found.size !== member.size) {
    return damaged(path, member, 'damaged', [`it has ${found.size} bytes, and the catalogue says ${member.size}`]);
  }
  const digest = await digestOf().catch(String);
  if (digest === member.sha256) return undefined;
  return damaged(path, member, 'damaged', [`its sha256 is ${digest}`, `the catalogue says ${member.sha256}`]);
};

const damaged = (path: string, member: Member, how: 'missing' | 'damaged', why: readonly string[]): Failure =>
  new Failure('preflight', `bundle member ${member.file} is ${how}`, {
    where: { resource: path },
    why,
    next: 'copy the bundle again, or make it anew with `kbs bundle create` or `kbs bundle build`; no host was changed',
  });

/** By the name of their add-on. */
const chartsOf = async (
  folder: string,
  { charts = [], members }: BundleCatalogue,
): Promise<ReadonlyMap<string, Chart>> => {
  const read = charts.map(async ({ addon, name, version, file }): Promise<readonly [string, Chart]> => {
    const { sha256 } = members.find((member) => member.file === file) ?? fail(absent(folder, file));
    return [addon, { name, version, sha256, tgz: await readFile(join(folder, file)) }];
  });
  return new Map(await Promise.all(read));
};

const artifactsOf = (
  folder: string,
  catalogue: BundleCatalogue,
  charts: ReadonlyMap<string, Chart>,
): Pick<Bundle, keyof Artifacts> => {
  const architectures = archesIn(catalogue);
  const held = new Map(
    architectures.flatMap((arch) => {
      const of = catalogue.architectures[arch];
      return of === undefined ? [] : [[arch, hostArtifacts(folder, of, catalogue.members)] as const];
    }),
  );
  const [some] = held.values();
  const lacked = (arch: Arch) => unbuiltFor(arch, some ?? fail(absent(folder, arch)));
  return {
    architectures,
    of: (arch) => held.get(arch) ?? lacked(arch),
    chart: (addon) => charts.get(addon) ?? fail(withoutAddons(folder, `the chart of ${addon}`)),
  };
};

const hostArtifacts = (folder: string, catalogue: ArchCatalogue, listed: readonly Member[]): StoredArtifacts => {
  const members = new Map(listed.map((member) => [member.file, member]));
  const stored = (
    name: string,
    file: string,
    content?: { readonly size: number; readonly sha256: string },
  ): StoredFile => {
    const member = members.get(file);
    if (!member) throw absent(folder, file);
    const { size, sha256 } = content ?? member;
    return { name, sha256, size, file: join(folder, file), packedSize: member.size, packing: packingOf(file) };
  };
  const binaries = new Map(catalogue.binaries.map((each) => [each.name, stored(each.name, each.file, each)]));
  const archives = new Map<ImageName, ImageArchive>();
  for (const each of catalogue.archives) {
    const archive: ImageArchive = {
      archive: stored(each.name, each.file),
      images: each.images.map(({ reference, digest }) => ({ reference, digest })),
    };
    for (const { name } of each.images) archives.set(name, archive);
  }
  return {
    binary: (name: BinaryName) => binaries.get(name) ?? binaries.get(builtFor(name)) ?? fail(missing(folder, name)),
    unpacker: () => binaries.get('unzstd'),
    image: (name: ImageName) => archives.get(name) ?? fail(missing(folder, name)),
    repository(distribution) {
      const file = catalogue.repositories?.[distribution];
      return file === undefined ? undefined : stored('repository', file);
    },
  };
};

const packingOf = (file: string): StoredFile['packing'] => {
  if (file.endsWith('.zst')) return 'zstd';
  return file.endsWith('.gz') ? 'gzip' : 'none';
};

const absent = (folder: string, name: string): Failure =>
  new Failure('preflight', `the bundle does not list ${name}`, {
    where: { resource: join(folder, 'catalogue.json') },
    next: 'make it with this version of kbs: `kbs bundle build` (`kbs bundle create` leaves out what GPU nodes need).',
  });

const missing = (folder: string, name: BinaryName | ImageName): Failure =>
  (isForAddons(name) ? withoutAddons : absent)(folder, name);

const withoutAddons = (folder: string, name: string): Failure =>
  new Failure('preflight', `the bundle was made without add-ons: it lacks ${name}`, {
    where: { resource: join(folder, 'catalogue.json') },
    next: 'make it with them: `kbs bundle create --addons`, or `kbs bundle build --addons`.',
  });

const fail = (failure: Failure): never => {
  throw failure;
};
