import { sha256 } from '../secret.js';
import type { Arch } from './arch.js';
import type { BinaryName, ImageName, PublishedFile, PublishedImage, Way } from './artifacts.js';
import type { Published } from './bundle-catalogue.js';
import { type Mirrors, mirroredRepository, mirroredUrl } from './upstream/mirrors.js';

/** How hosts get at what they download themselves. */
export interface Access {
  readonly way: Way;
  readonly mirrors: Mirrors;
}

/** What hosts of one architecture download themselves, by name; undefined where they do not. */
export const publishedArtifacts = (
  { binaries, images }: Published = { binaries: [], images: [] },
  { arch, way, mirrors }: Access & { readonly arch: Arch },
): {
  binary(name: BinaryName): PublishedFile | undefined;
  image(name: ImageName): PublishedImage | undefined;
} => {
  const files = new Map(
    binaries.map(({ name, url, sha256: digest, saidBy, member }): readonly [BinaryName, PublishedFile] => [
      name,
      {
        name,
        sha256: member === undefined ? digest : memberOf(digest, member),
        download: {
          url: mirroredUrl(url, mirrors),
          sha256: digest,
          saidBy,
          ...(member === undefined ? {} : { member }),
          way,
        },
      },
    ]),
  );
  const pulled = new Map(
    images.map(({ name, published, reference, digest }): readonly [ImageName, PublishedImage] => {
      const repository = mirroredRepository(published.slice(0, published.lastIndexOf(':')), mirrors);
      return [name, { pull: `${repository}@${digest}`, arch, way, images: [{ reference, digest }] }];
    }),
  );
  return { binary: (name) => files.get(name), image: (name) => pulled.get(name) };
};

/** In place of the digest of a program that nothing here has seen: what it comes out of has one. Hex. */
const memberOf = (archive: string, member: string): string => sha256(`${archive} ${member}`);
