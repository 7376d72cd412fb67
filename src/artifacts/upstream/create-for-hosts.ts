import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { defined } from '../../defined.js';
import { failuresIn } from '../../failure.js';
import { type Arch, architectures, archOfThisMachine } from '../arch.js';
import { assemble, type MadeBundle, type Part } from '../assemble.js';
import { hostsBundle } from '../bundle.js';
import type { Published } from '../bundle-catalogue.js';
import { below } from '../bundle-members.js';
import { cacheFolder, sweep } from '../cache.js';
import { known } from '../catalogue.js';
import { chartsOf } from './charts.js';
import type { CreateOptions } from './create.js';
import { Fetcher } from './fetch.js';
import { digestOfImage } from './image.js';
import { allOf } from './not-downloaded.js';
import { knownPins } from './pins.js';
import { packProbe } from './probe.js';
import { type Sources, sourcesOf } from './sources.js';

/**
 * Makes the bundle of hosts that download themselves: where everything is published, and the digest that it must have, which
 * is pinned or asked of the checksum files and registries. Of what is large, nothing is downloaded. Besides, it has what no
 * host can download: kbs's own image, and the charts of add-ons. It is for `architectures`, and for all others that can be
 * had. Failures as of `createBundle`.
 */
export const createForHosts = async (options: ForHostsOptions): Promise<MadeBundle> => {
  const { version, signal, addons, architectures: needed = [archOfThisMachine()], onLeftOut = () => {} } = options;
  const release = known(version);
  const { kubernetes } = release;
  const cache = options.cache ?? cacheFolder();
  const usual = hostsBundle(kubernetes, cache);
  const build = join(cache, 'build');
  await mkdir(build, { recursive: true });
  for (const each of ['build', 'bundles']) await sweep(join(cache, each));

  const parts: Part[] = [];
  for (const arch of [...needed, ...architectures.filter((each) => !needed.includes(each))]) {
    await partOf(arch, cache, options).then(
      (part) => parts.push(part),
      (error: unknown) => {
        if (needed.includes(arch) || signal?.aborted) throw error;
        onLeftOut(arch, failuresIn(error)[0]?.message ?? String(error));
      },
    );
  }
  const charts = addons ? await chartsOf(release, build, options) : undefined;
  return assemble({ kubernetes, parts, ...defined({ charts }), into: usual, usual, cache });
};

export interface ForHostsOptions extends Omit<CreateOptions, 'into' | 'packages' | 'onBytes' | 'onPack'> {
  /** Hears of an architecture that none of `architectures` is, why the bundle is not for it. */
  readonly onLeftOut?: (arch: Arch, why: string) => void;
}

const partOf = async (arch: Arch, cache: string, options: ForHostsOptions): Promise<Part> => {
  const { version, addons = false, signal, ownPrograms } = options;
  const release = known(version);
  const sources = sourcesOf(release, arch, { addons });
  const published = await digestsOf(sources, arch, { ...options, folder: join(cache, 'downloads') });
  const context = { cache: join(cache, 'build'), arch, ...defined({ signal }) };
  const { packed, component } = await packProbe(release, context, ownPrograms);
  const probe = below(arch, packed);
  return {
    arch,
    members: [probe],
    catalogue: {
      components: [
        ...sources.files.map(({ name, version: of, url }) => ({ name, version: of, from: url })),
        ...sources.images.map(({ name, version: of, published: from }) => ({ name, version: of, from })),
        component,
      ],
      binaries: [],
      archives: probe.archive === undefined ? [] : [probe.archive],
      published,
    },
  };
};

const digestsOf = async (
  sources: Sources,
  arch: Arch,
  {
    folder,
    mirrors = {},
    pins = knownPins,
    keys,
    signal,
    onDownload = () => {},
  }: Pick<ForHostsOptions, 'mirrors' | 'pins' | 'keys' | 'signal' | 'onDownload'> & { readonly folder: string },
): Promise<Published> => {
  const fetcher = new Fetcher({ folder, mirrors, pins, keys, signal, onBytes: () => {} });
  const digests = new Map<string, { readonly sha256: string; readonly saidBy: string }>();
  const images = new Map<string, string>();
  await allOf(
    [
      ...sources.files.map((source) => ({
        name: `the digest of ${source.name} ${source.version} for ${arch}`,
        where: source.url,
        run: async () => void digests.set(source.url, await fetcher.digestOf(source)),
      })),
      ...sources.images.map(({ published }) => ({
        name: `the digest of ${published} for ${arch}`,
        where: published,
        run: async () =>
          void images.set(published, await digestOfImage({ published }, { arch, folder, mirrors, pins, signal })),
      })),
    ],
    { signal, onDone: onDownload },
  );
  return {
    binaries: sources.files.flatMap(({ url, holds }) => {
      const digest = digests.get(url);
      // In the order of the catalogue's keys: its own sha256 is of its text.
      return digest === undefined
        ? []
        : holds.map(({ name, member }) => ({ name, url, ...digest, ...defined({ member }) }));
    }),
    images: sources.images.flatMap(({ name, published, reference }) => {
      const digest = images.get(published);
      return digest === undefined ? [] : [{ name, published, reference, digest }];
    }),
  };
};
