import type { ImageName } from './artifacts.js';
import { type BuiltName, builtNames, isForAddons, type PackedName } from './bundle-catalogue.js';

/** What a cluster of one Kubernetes version is made of. */
export interface Release {
  readonly kubernetes: string;
  readonly programs: readonly Program[];
  /** The program behind each executable that lands on hosts. */
  readonly binaries: Readonly<Record<BuiltName, string>>;
  readonly images: Readonly<Record<ImageName, ImageRecipe>>;
  /** Which images travel in one archive: those that share a layer. */
  readonly archives: readonly ArchiveRecipe[];
  /** Helm charts of add-ons. */
  readonly charts: readonly ChartRecipe[];
  /** Debian packages that hosts may install, from a repository that the bundle brings with all they depend on. */
  readonly hostPackages: readonly string[];
}

export type Program = GoProgram | CProgram;

/** A command of a Go module, built from a module file of our own that pins every dependency. */
export interface GoProgram {
  readonly language: 'go';
  readonly name: string;
  readonly version: string;
  /** The folder under `programs/` that holds go.mod and go.sum. */
  readonly folder: string;
  readonly package: string;
  /** Debian packages of the C libraries that it is linked with. */
  readonly libraries: readonly string[];
  /** Where the code comes from, for people: `k8s.io/kubernetes v1.36.3`. */
  readonly from: string;
  /** What the linker writes into string variables, so that the program can say its version. */
  readonly stamps: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
  /** How it is linked with C; `dynamic` where it opens libraries of its host while it runs. */
  readonly cgo: 'none' | 'static' | 'dynamic';
}

/** One C file of our own, linked statically. */
export interface CProgram {
  readonly language: 'c';
  readonly name: string;
  readonly version: string;
  readonly folder: string;
  readonly from: string;
}

export interface ImageRecipe {
  readonly reference: string;
  readonly entrypoint: readonly string[];
  /** Names of layers, lowest first. */
  readonly layers: readonly LayerRecipe[];
}

/** One layer; two images that name equal recipes share it. */
export interface LayerRecipe {
  readonly name: string;
  /** Absolute path in the image → program. */
  readonly programs: Readonly<Record<string, string>>;
  /** Absolute path of a hard link → the path it shares its content with. */
  readonly links: Readonly<Record<string, string>>;
  /** Debian packages whose files lie beneath. */
  readonly packages: readonly string[];
  /** Whether the layer holds the few files of /etc that programs read, and /tmp. */
  readonly baseFiles: boolean;
}

export interface ArchiveRecipe {
  readonly name: string;
  readonly images: readonly ImageName[];
}

/** A Helm chart that lies in a Go module, or one of kbs's own. */
export interface ChartRecipe {
  /** The add-on's name, or `objectsChart`. */
  readonly addon: string;
  /** As its Chart.yaml says. */
  readonly name: string;
  readonly version: string;
  /** The folder under `programs/` whose go.mod pins the module; of kbs's own chart, the chart itself. */
  readonly folder: string;
  /** Absent for kbs's own. */
  readonly inModule?: {
    readonly module: string;
    /** The chart's folder there. */
    readonly path: string;
  };
}

/** What a bundle of a release holds. */
export interface Contents extends Pick<Release, 'programs' | 'archives' | 'charts' | 'hostPackages'> {
  readonly binaries: readonly BuiltName[];
  /** Every layer of the images once, in the order in which images name them. */
  readonly layers: readonly LayerRecipe[];
}

/** The contents of a bundle, with or without what only add-ons need. */
export const contentsOf = (release: Release, { addons }: { readonly addons: boolean }): Contents => {
  const isHeld = (name: PackedName | ImageName): boolean => addons || !isForAddons(name);
  const binaries = builtNames.filter(isHeld);
  const archives = release.archives.filter(({ images }) => images.some(isHeld));
  const layers = archives.flatMap(({ images }) => images).flatMap((image) => release.images[image].layers);
  const needed = new Set([
    ...binaries.map((name) => release.binaries[name]),
    ...layers.flatMap(({ programs }) => Object.values(programs)),
  ]);
  return {
    programs: release.programs.filter(({ name }) => needed.has(name)),
    archives,
    binaries,
    layers: [...new Map(layers.map((each) => [each.name, each])).values()],
    charts: addons ? release.charts : [],
    hostPackages: release.hostPackages,
  };
};
