/** Bytes of a manifest: what registries take themselves. */
export const mostOfManifest = 4 * 1024 * 1024;

export const [ociManifest, dockerManifest] = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
] as const;

/** Of one image. */
export const manifestTypes = [ociManifest, dockerManifest];

/** Of one image for each architecture. */
export const indexTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
