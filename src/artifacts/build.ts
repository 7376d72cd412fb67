import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.js';
import { type Arch, archOfThisMachine } from './arch.js';
import { defaultBundle, openBundle } from './bundle.js';
import { type BundleCatalogue, binaryNames, type Component } from './bundle-catalogue.js';
import { makeArchive, type PackedMember, packBinary } from './bundle-members.js';
import { writeBundleTar } from './bundle-tar.js';
import { cacheFolder, sweep } from './cache.js';
import { editionOf, knownVersions } from './catalogue.js';
import { type Offer, unpackPackages } from './debian.js';
import { type Built, buildProgram } from './go-modules.js';
import { type Layer, makeLayer } from './layer.js';
import { type Edition, layersOf } from './release.js';
import { makeRepository, refuseOtherThanDebian } from './repository.js';
import { provideTools } from './tools.js';
import { assemble } from './write-bundle.js';

export { defaultBundle } from './bundle.js';

/**
 * Makes a bundle of one Kubernetes version from Go modules and Debian packages. What was made before from the same
 * inputs comes from the cache, so a run that was stopped goes on where it was.
 */
export const buildBundle = async (options: BuildOptions): Promise<BuiltBundle> => {
  const edition = known(options.version);
  await refuseOtherThanDebian();
  const arch = archOfThisMachine();
  const cache = options.cache ?? cacheFolder();
  const usual = defaultBundle(edition.kubernetes, cache, arch);
  const into = options.into ?? usual;
  const folder = into.endsWith('.tar') ? usual : into;
  const ground = { cache: join(cache, 'build'), arch, ...(options.signal ? { signal: options.signal } : {}) };
  await mkdir(ground.cache, { recursive: true });
  for (const each of ['build', 'bundles', 'unpacked']) await sweep(join(cache, each));
  await provideTools({ install: options.install ?? false });

  const layers = layersOf(edition);
  const steps = edition.programs.length + layers.length + edition.archives.length + binaryNames.length + 2;
  const step = stepper(steps, options.onProgress ?? (() => undefined));

  const programs = new Map<string, Built>();
  // One after the other: Go itself uses every core, and two builds at once would need twice the memory.
  for (const program of edition.programs) {
    programs.set(program.name, await step(`${program.name} ${program.version}`, () => buildProgram(program, ground)));
  }
  const packages = await step('Debian packages', () => unpackPackages(packagesOf(edition), ground));
  const parts = { cache: ground.cache, program: take(programs), unzstd: take(programs)('unzstd'), packages };
  const made = new Map<string, Layer>();
  for (const layer of layers) made.set(layer.name, await step(`layer ${layer.name}`, () => makeLayer(layer, parts)));
  const members: PackedMember[] = [];
  for (const archive of edition.archives) {
    members.push(await step(`archive ${archive.name}`, () => makeArchive(archive, edition, take(made), ground)));
  }
  for (const name of binaryNames) {
    members.push(await step(`pack ${name}`, () => packBinary(name, parts.program(edition.binaries[name]), parts)));
  }

  const repository = await step('apt repository', () => makeRepository(edition.hostPackages, ground));
  members.push(repository);

  const catalogue = catalogueOf(edition, arch, [...packages.packages, ...repository.packages], members);
  await assemble(folder, catalogue, members);
  await openBundle(folder, { cache });
  if (into !== folder) await writeBundleTar(folder, catalogue, into);
  return { folder: into, catalogue };
};

export interface BuildOptions {
  /** Without a leading v. */
  readonly version: string;
  /** The folder to make, or the `.tar`; the folder `bundles/VERSION-ARCH` of the cache when absent. */
  readonly into?: string;
  /** kbs's cache folder; the user's own when absent. */
  readonly cache?: string;
  /** Whether missing Debian packages may be installed with apt-get. */
  readonly install?: boolean;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/** One step of a build, number `n` of `of`. `kept`: it was in the cache. */
export interface Progress {
  readonly name: string;
  readonly n: number;
  readonly of: number;
  readonly state: 'started' | 'built' | 'kept';
  /** Zero while it has only started. */
  readonly seconds: number;
}

export interface BuiltBundle {
  /** Its path, as `openBundle` takes it. */
  readonly folder: string;
  readonly catalogue: BundleCatalogue;
}

const known = (version: string): Edition => {
  const edition = editionOf(version);
  if (edition) return edition;
  throw new Failure('usage', `the catalogue does not know Kubernetes ${version}`, {
    why: [`it knows ${knownVersions().join(', ')}`],
  });
};

type Step = <T extends { readonly made: boolean }>(name: string, work: () => Promise<T>) => Promise<T>;

const stepper = (of: number, onProgress: (progress: Progress) => void): Step => {
  let n = 0;
  return async (name, work) => {
    n += 1;
    const here = { name, n, of };
    const start = performance.now();
    onProgress({ ...here, state: 'started', seconds: 0 });
    const result = await work();
    const seconds = (performance.now() - start) / 1000;
    onProgress({ ...here, state: result.made ? 'built' : 'kept', seconds });
    return result;
  };
};

/** A lookup that cannot miss, unless an edition names what it does not list. */
const take =
  <T>(things: ReadonlyMap<string, T>) =>
  (name: string): T => {
    const thing = things.get(name);
    if (thing === undefined) throw new Error(`the edition names ${name} and does not say how to make it`);
    return thing;
  };

const packagesOf = (edition: Edition): readonly string[] => [
  ...new Set(layersOf(edition).flatMap((layer) => layer.packages)),
];

const catalogueOf = (
  edition: Edition,
  arch: Arch,
  packages: readonly Offer[],
  members: readonly PackedMember[],
): BundleCatalogue => ({
  format: 1,
  kubernetes: edition.kubernetes,
  arch,
  components: [
    ...edition.programs.map(({ name, version, from }): Component => ({ name, version, from })),
    ...debian(packages),
  ],
  members: members.map(({ member }) => member),
  binaries: members.flatMap(({ binary }) => binary ?? []),
  archives: members.flatMap(({ archive }) => archive ?? []),
});

/** Each once: images and hosts share some. */
const debian = (packages: readonly Offer[]): readonly Component[] => [
  ...new Map(
    packages.map(({ name, version, sha256 }) => [sha256, { name, version, from: 'debian', sha256 }] as const),
  ).values(),
];
