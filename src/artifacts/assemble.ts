import { rm } from 'node:fs/promises';
import { type Arch, architectures } from './arch.js';
import { openBundle } from './bundle.js';
import type { ArchCatalogue, BundleCatalogue } from './bundle-catalogue.js';
import type { PackedMember } from './bundle-members.js';
import { writeBundleTar } from './bundle-tar.js';
import { writeBundle } from './write-bundle.js';

/** What a bundle holds for one architecture. */
export interface Part {
  readonly arch: Arch;
  readonly members: readonly PackedMember[];
  readonly catalogue: ArchCatalogue;
}

export interface Assembly {
  readonly kubernetes: string;
  readonly parts: readonly Part[];
  /** Absent in a bundle without what add-ons need. */
  readonly charts?: readonly PackedMember[];
  /** The folder to make, or the `.tar`. */
  readonly into: string;
  /** The folder of the cache that such a bundle has. */
  readonly usual: string;
  /** kbs's cache folder. */
  readonly cache: string;
}

export interface MadeBundle {
  /** Its path, as `openBundle` takes it. */
  readonly folder: string;
  readonly catalogue: BundleCatalogue;
}

/** Puts the parts of a bundle together, and opens the result once to see that it is whole. */
export const assemble = async ({
  kubernetes,
  parts: unordered,
  charts,
  into,
  usual,
  cache,
}: Assembly): Promise<MadeBundle> => {
  // As the catalogue's keys are read: its own sha256 is of its text.
  const parts = architectures.flatMap((arch) => unordered.filter((part) => part.arch === arch));
  // A tar is packed from a folder that is gone afterwards: the usual bundle may be for other architectures.
  const folder = into.endsWith('.tar') ? `${usual}.${process.pid}.partial` : into;
  const members = [...parts.flatMap((part) => part.members), ...(charts ?? [])];
  const catalogue: BundleCatalogue = {
    format: 2,
    kubernetes,
    architectures: Object.fromEntries(parts.map((part) => [part.arch, part.catalogue])),
    ...(charts === undefined ? {} : { charts: charts.flatMap(({ chart }) => chart ?? []) }),
    members: members.map(({ member }) => member),
  };
  try {
    await writeBundle(folder, catalogue, members);
    await openBundle(folder, { cache });
    if (into !== folder) await writeBundleTar(folder, catalogue, into);
  } finally {
    if (into !== folder) await rm(folder, { recursive: true, force: true });
  }
  return { folder: into, catalogue };
};
