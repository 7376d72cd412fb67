import { sha256 } from '../secret.js';
import type { Artifacts, StoredFile } from './artifacts.js';
import { knownVersions, releaseOf } from './catalogue.js';
import type { Release } from './release.js';

/**
 * The artifacts of a version by name, for planning before a bundle exists. References and grouping are those of
 * the bundle; sizes are zero, and a digest is that of a name: the same at every call, and no real content's.
 */
export const placeholderArtifacts = (version: string): Artifacts => {
  const release = releaseOf(version);
  if (!release) throw new Error(`the catalogue knows ${knownVersions().join(', ')} and not ${version}`);
  const archives = release.archives.map((recipe) => ({
    holds: recipe.images,
    archive: {
      archive: unbuilt(`archive ${recipe.name}`),
      images: recipe.images.map((name) => {
        const { reference } = release.images[name];
        return { reference, digest: `sha256:${sha256(`${reference} (not built)`)}` };
      }),
    },
  }));
  return {
    binary: (name) => unbuilt(`${name} ${versionOf(release, release.binaries[name])}`),
    image: (name) => {
      const found = archives.find(({ holds }) => holds.includes(name));
      if (!found) throw new Error(`no archive of ${version} holds ${name}`);
      return found.archive;
    },
    repository: () => unbuilt('repository'),
  };
};

const unbuilt = (name: string): StoredFile => ({
  name: `${name} (not built)`,
  sha256: sha256(`${name} (not built)`),
  size: 0,
  file: '(not built)',
  packedSize: 0,
  packing: 'none',
});

const versionOf = (release: Release, program: string): string =>
  release.programs.find(({ name }) => name === program)?.version ?? '';
