import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { isRecord, sha256 } from '../../secret.js';
import type { Arch } from '../arch.js';
import type { ImageName } from '../artifacts.js';
import { keyOf } from '../cache.js';
import type { Image } from '../image.js';
import { dockerManifest, indexTypes, manifestTypes, mostOfManifest, ociManifest } from '../manifest-types.js';
import { jsonOf, Registry } from '../registry.js';
import type { Wanted } from './download.js';
import { type Mirrors, repositoryUrl } from './mirrors.js';
import type { Pins } from './pins.js';
import type { SourceImage } from './sources.js';

export interface PullOptions {
  readonly arch: Arch;
  /** The folder of what was downloaded. */
  readonly folder: string;
  readonly mirrors: Mirrors;
  readonly pins: Pins;
  /** Downloads one file, once for however many ask for it. */
  readonly fetch: (wanted: Wanted, into: string) => Promise<void>;
  /** Ends what is under way when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A published image for one architecture, its blobs on this machine and every digest checked. An image that was pulled
 * before needs no network. Throws an Error that says the address and the reason.
 */
export const pullImage = async (
  { name, published, reference }: SourceImage,
  options: PullOptions,
): Promise<Image & { readonly name: ImageName; readonly made: boolean }> => {
  const { arch, folder, mirrors } = options;
  const registry = new Registry(repositoryUrl(repositoryOf(published), mirrors), options.signal);
  const kept = keptManifest(published, options);
  const before = await readFile(kept, 'utf8').catch(() => undefined);
  const manifest = before ?? (await manifestOf(published, registry, options));
  const { mediaType, config, layers } = read(manifest, published);
  const fetched = async ({ digest }: Descriptor): Promise<string> => {
    const into = join(folder, 'blobs', digest);
    const url = registry.address(`blobs/sha256:${digest}`);
    const open = (headers: Readonly<Record<string, string>>) => registry.open(`blobs/sha256:${digest}`, headers);
    await options.fetch({ url, sha256: digest, saidBy: `the manifest of ${published}`, open }, into);
    return into;
  };
  const [settings = '', ...files] = await Promise.all([config, ...layers].map(fetched));
  const text = await readFile(settings, 'utf8');
  const { architecture } = jsonOf(Buffer.from(text), `the configuration of ${published}`);
  if (architecture !== arch) throw new Error(`${published} is for ${String(architecture)}, and not for ${arch}`);
  // Only now: a registry that has another one tomorrow is asked again.
  if (before === undefined) {
    await mkdir(dirname(kept), { recursive: true });
    await writeFileAtomic(kept, manifest);
  }
  return {
    name,
    reference,
    mediaType,
    manifest: { text: manifest, sha256: sha256(manifest) },
    config: { text, sha256: config.digest },
    layers: layers.map(({ digest, size, mediaType: type }, index) => ({
      file: files[index] ?? '',
      mediaType: type,
      size,
      sha256: digest,
    })),
    made: before === undefined,
  };
};

/**
 * The digest of a published image for one architecture, as `sha256:…`, of whose layers nothing is downloaded. Throws an Error
 * that says the address and the reason.
 */
export const digestOfImage = async (
  { published }: Pick<SourceImage, 'published'>,
  options: Omit<PullOptions, 'fetch'>,
): Promise<string> => {
  const registry = new Registry(repositoryUrl(repositoryOf(published), options.mirrors), options.signal);
  const before = await readFile(keptManifest(published, options), 'utf8').catch(() => undefined);
  const manifest = before ?? (await manifestOf(published, registry, options));
  read(manifest, published);
  return `sha256:${sha256(manifest)}`;
};

/** Where a manifest is kept once its image is whole. */
const keptManifest = (published: string, { arch, folder, pins }: Omit<PullOptions, 'fetch'>): string =>
  join(folder, 'manifests', keyOf(tagOf(published), [published, arch, pins[published] ?? '']));

const repositoryOf = (published: string): string => published.slice(0, published.lastIndexOf(':'));
const tagOf = (published: string): string => published.slice(published.lastIndexOf(':') + 1);

/** The text of the manifest for the architecture: a tag leads to an index of manifests, or to one manifest. */
const manifestOf = async (
  published: string,
  registry: Registry,
  { arch, pins }: Omit<PullOptions, 'fetch'>,
): Promise<string> => {
  const pin = pins[published];
  const path = `manifests/${tagOf(published)}`;
  const first = await registry.get(path, mostOfManifest, { accept: [...indexTypes, ...manifestTypes].join(', ') });
  if (pin !== undefined && sha256(first.body) !== pin) {
    throw new Error(`${first.url} has the digest sha256:${sha256(first.body)}, and what is pinned is sha256:${pin}`);
  }
  const { manifests } = jsonOf(first.body, first.url);
  const body = Array.isArray(manifests) ? await ofArch(manifests, arch, published, registry) : first.body;
  return body.toString();
};

const ofArch = async (
  manifests: readonly unknown[],
  arch: Arch,
  published: string,
  registry: Registry,
): Promise<Buffer> => {
  const isWanted = ({ platform }: Readonly<Record<string, unknown>>): boolean =>
    isRecord(platform) && platform.os === 'linux' && platform.architecture === arch;
  const digest = digestIn(manifests.filter(isRecord).find(isWanted)?.digest);
  if (digest === undefined) throw new Error(`${published} is not published for ${arch}`);
  const { url, body } = await registry.get(`manifests/sha256:${digest}`, mostOfManifest, {
    accept: manifestTypes.join(', '),
  });
  if (sha256(body) === digest) return body;
  throw new Error(`${url} has the digest sha256:${sha256(body)}, and the index of ${published} says sha256:${digest}`);
};

interface Descriptor {
  /** Hex. */
  readonly digest: string;
  readonly size: number;
  readonly mediaType: string;
}

const read = (manifest: string, published: string) => {
  const { mediaType, config, layers } = jsonOf(Buffer.from(manifest), `the manifest of ${published}`);
  const described = [config, ...(Array.isArray(layers) ? layers : [])].map(descriptorIn);
  const [first, ...others] = described.filter((each) => each !== undefined);
  if (first === undefined || others.length === 0 || described.length !== others.length + 1) {
    throw new Error(`the manifest of ${published} names no configuration and layers`);
  }
  return { mediaType: mediaType === dockerManifest ? dockerManifest : ociManifest, config: first, layers: others };
};

const descriptorIn = (value: unknown): Descriptor | undefined => {
  if (!isRecord(value)) return undefined;
  const { size, mediaType } = value;
  const digest = digestIn(value.digest);
  if (digest === undefined || typeof size !== 'number' || typeof mediaType !== 'string') return undefined;
  return { digest, size, mediaType };
};

const digestIn = (digest: unknown): string | undefined => /^sha256:([0-9a-f]{64})$/.exec(String(digest))?.[1];
