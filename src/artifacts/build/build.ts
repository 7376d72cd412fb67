import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { defined } from '../../defined.js';
import { type Arch, architectures, archOfThisMachine } from '../arch.js';
import { assemble, type MadeBundle, type Part } from '../assemble.js';
import { usualBundle } from '../bundle.js';
import type { Component } from '../bundle-catalogue.js';
import { below, makeArchive, type PackedMember, packBinary } from '../bundle-members.js';
import { cacheFolder, sweep } from '../cache.js';
import { known } from '../catalogue.js';
import { makeChart } from '../charts/member.js';
import { type Layer, makeLayer } from '../layer.js';
import { type Offer, unpackPackages } from '../packages/apt.js';
import { makeRepository, refuseOtherThanDebian } from '../packages/repository.js';
import { type Packer, zstdPacker } from '../packer.js';
import { type Contents, contentsOf, type Release } from '../release.js';
import { requirePlace } from '../write-bundle.js';
import type { BuildContext } from './context.js';
import { type Built, buildProgram } from './go-modules.js';
import { provideTools } from './tools.js';

/**
 * Makes a bundle of one Kubernetes version from Go modules and Debian packages. What was made before from the same
 * inputs comes from the cache, so a run that was stopped continues where it was.
 */
export const buildBundle = async (options: BuildOptions): Promise<MadeBundle> => {
  const release = known(options.version);
  const contents = contentsOf(release, { addons: options.addons ?? false });
  await refuseOtherThanDebian();
  const here = archOfThisMachine();
  const wanted = architectures.filter((arch) => (options.architectures ?? [here]).includes(arch));
  const cache = options.cache ?? cacheFolder();
  const usual = usualBundle(release.kubernetes, cache);
  const into = options.into ?? usual;
  await requirePlace(into);
  const context = { cache: join(cache, 'build'), ...(options.signal ? { signal: options.signal } : {}) };
  await mkdir(context.cache, { recursive: true });
  for (const each of ['build', 'bundles', 'unpacked']) await sweep(join(cache, each));
  await provideTools(wanted, { install: options.install ?? false });

  const step = stepper(
    1 + contents.charts.length + wanted.length * stepsOf(contents),
    options.onProgress ?? (() => undefined),
  );
  const unzstd = lookUp(new Map(release.programs.map((program) => [program.name, program])))('unzstd');
  // This machine's own: what packs must run here, whatever it packs.
  const packer = await step('unzstd, to pack with', () => buildProgram(unzstd, { ...context, arch: here }));
  const parts: Part[] = [];
  for (const arch of wanted)
    parts.push(await buildPart(release, contents, zstdPacker(packer), step, { ...context, arch }));
  const charts: PackedMember[] = [];
  for (const chart of contents.charts) {
    charts.push(await step(`chart ${chart.name} ${chart.version}`, () => makeChart(chart, context)));
  }

  return assemble({
    kubernetes: release.kubernetes,
    parts,
    ...(options.addons ? { charts } : {}),
    into,
    usual,
    cache,
  });
};

const stepsOf = ({ programs, layers, archives, binaries }: Contents): number => {
  const unpacked = layers.filter(({ packages }) => packages.length > 0).length;
  return programs.length + unpacked + layers.length + archives.length + binaries.length + 1;
};

const buildPart = async (
  release: Release,
  { programs: wanted, layers, archives, binaries, hostPackages }: Contents,
  packer: Packer,
  anyStep: Step,
  context: BuildContext,
): Promise<Part> => {
  const { arch } = context;
  const step: Step = (name, work) => anyStep(`${arch}: ${name}`, work);
  const programs = new Map<string, Built>();
  // One after the other: Go itself uses every core, and two builds at once would need twice the memory.
  for (const program of wanted) {
    programs.set(program.name, await step(`${program.name} ${program.version}`, () => buildProgram(program, context)));
  }
  const parts = { cache: context.cache, program: lookUp(programs), packer };
  const offers: Offer[] = [];
  const made = new Map<string, Layer>();
  for (const layer of layers) {
    const packages =
      layer.packages.length > 0
        ? await step(`Debian packages of ${layer.name}`, () => unpackPackages(layer.packages, context))
        : undefined;
    offers.push(...(packages?.packages ?? []));
    made.set(
      layer.name,
      await step(`layer ${layer.name}`, () => makeLayer(layer, { ...parts, ...defined({ packages }) })),
    );
  }
  const members: PackedMember[] = [];
  for (const archive of archives) {
    members.push(await step(`archive ${archive.name}`, () => makeArchive(archive, release, lookUp(made), context)));
  }
  for (const name of binaries) {
    members.push(await step(`pack ${name}`, () => packBinary(name, parts.program(release.binaries[name]), parts)));
  }

  const repository = await step('apt repository', () => makeRepository(hostPackages, context));
  members.push(repository);

  return partOf(wanted, arch, [...offers, ...repository.packages], members, repository);
};

const partOf = (
  programs: Release['programs'],
  arch: Arch,
  packages: readonly Offer[],
  members: readonly PackedMember[],
  repository: PackedMember,
): Part => {
  const placed = members.map((each) => below(arch, each));
  return {
    arch,
    members: placed,
    catalogue: {
      components: [
        ...programs.map(({ name, version, from }): Component => ({ name, version, from })),
        ...debian(packages),
      ],
      binaries: placed.flatMap(({ binary }) => binary ?? []),
      archives: placed.flatMap(({ archive }) => archive ?? []),
      repositories: { 'debian-12': below(arch, repository).member.file },
    },
  };
};

export interface BuildOptions {
  /** Without a leading v. */
  readonly version: string;
  /** What the bundle is to hold; this machine's own when absent. */
  readonly architectures?: readonly Arch[];
  /** Whether the bundle is to hold what add-ons need: helm, their images, their charts. Default: no. */
  readonly addons?: boolean;
  /** The folder to make, or the `.tar`; the folder `bundles/VERSION` of the cache when absent. */
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

/** A lookup that cannot miss, unless a release names what it does not list. */
const lookUp =
  <T>(all: ReadonlyMap<string, T>) =>
  (name: string): T => {
    const found = all.get(name);
    if (found === undefined) throw new Error(`the release names ${name} and does not say how to make it`);
    return found;
  };

/** Each once: images and hosts share some. */
const debian = (packages: readonly Offer[]): readonly Component[] => [
  ...new Map(
    packages.map(({ name, version, sha256 }) => [sha256, { name, version, from: 'debian', sha256 }] as const),
  ).values(),
];
