import { sha256 } from '../secret.js';
import type { Arch } from './arch.js';
import type { Layer } from './layer.js';
import type { ImageRecipe } from './release.js';
import { type Entry, tarOf } from './tar.js';

/** An image as OCI's documents: what it is called, the digest of its manifest, and its blobs. */
export interface Image {
  readonly reference: string;
  /** Of the manifest; OCI's when absent. */
  readonly mediaType?: string;
  readonly manifest: Blob;
  readonly config: Blob;
  readonly layers: readonly Omit<Layer, 'diffId'>[];
}

/** A small JSON document, by content. */
export interface Blob {
  readonly text: string;
  readonly sha256: string;
}

/** The config and the manifest of an image (OCI image specification 1.1). Nothing in them depends on when or where. */
export const describeImage = (recipe: ImageRecipe, layers: readonly Layer[], arch: Arch): Image => {
  const config = blob({
    created: '1970-01-01T00:00:00Z',
    architecture: arch,
    os: 'linux',
    config: {
      Env: ['PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      Entrypoint: recipe.entrypoint,
      WorkingDir: '/',
    },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => `sha256:${layer.diffId}`) },
    history: layers.map(() => ({ created: '1970-01-01T00:00:00Z', created_by: 'kbs bundle build' })),
  });
  const manifest = blob({
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...sized(config) },
    layers: layers.map((layer) => ({
      mediaType: layer.mediaType,
      digest: `sha256:${layer.sha256}`,
      size: layer.size,
    })),
  });
  return { reference: recipe.reference, manifest, config, layers };
};

/** Images as one OCI image layout in a tar, each blob once, in the form that `ctr images import` takes. */
export const layoutOf = (images: readonly Image[], arch: Arch) => tarOf(membersOf(images, arch));

const membersOf = (images: readonly Image[], arch: Arch): readonly Entry[] => {
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: images.map((image) => ({
      mediaType: image.mediaType ?? manifestType,
      ...sized(image.manifest),
      platform: { architecture: arch, os: 'linux' },
      annotations: {
        // containerd reads the first; the second is the specification's, and holds the tag.
        'io.containerd.image.name': image.reference,
        'org.opencontainers.image.ref.name': image.reference.slice(image.reference.lastIndexOf(':') + 1),
      },
    })),
  };
  const blobs = new Map<string, Entry>();
  for (const image of images) {
    for (const { sha256, text } of [image.manifest, image.config]) {
      blobs.set(sha256, { type: 'text', path: `blobs/sha256/${sha256}`, mode: 0o644, text });
    }
    for (const layer of image.layers) {
      blobs.set(layer.sha256, { type: 'file', path: `blobs/sha256/${layer.sha256}`, mode: 0o644, file: layer.file });
    }
  }
  return [
    { type: 'text', path: 'oci-layout', mode: 0o644, text: JSON.stringify({ imageLayoutVersion: '1.0.0' }) },
    { type: 'text', path: 'index.json', mode: 0o644, text: JSON.stringify(index) },
    { type: 'directory', path: 'blobs', mode: 0o755 },
    { type: 'directory', path: 'blobs/sha256', mode: 0o755 },
    ...blobs.values(),
  ];
};

const manifestType = 'application/vnd.oci.image.manifest.v1+json';

const blob = (document: unknown): Blob => {
  const text = JSON.stringify(document);
  return { text, sha256: sha256(text) };
};

const sized = (given: Blob) => ({ digest: `sha256:${given.sha256}`, size: Buffer.byteLength(given.text) });
