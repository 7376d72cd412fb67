import type { BinaryName, ImageName } from './artifacts.js';

/** What a cluster of one Kubernetes version is made of. */
export interface Release {
  readonly kubernetes: string;
  readonly programs: readonly Program[];
  /** The program behind each executable that lands on hosts. */
  readonly binaries: Readonly<Record<BinaryName, string>>;
  readonly images: Readonly<Record<ImageName, ImageRecipe>>;
  /** Which images travel in one archive: those that share a layer. */
  readonly archives: readonly ArchiveRecipe[];
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

/** Every layer of the release's images once, in the order in which images name them. */
export const layersOf = (release: Release): readonly LayerRecipe[] => [
  ...new Map(Object.values(release.images).flatMap(({ layers }) => layers.map((each) => [each.name, each]))).values(),
];
