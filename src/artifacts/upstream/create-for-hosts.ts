import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { defined } from '../../defined.js';
import type { Arch } from '../arch.js';
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
import { mergeWith } from './merge.js';
import { allOf } from './not-downloaded.js';
import { knownPins } from './pins.js';
import { packProbe } from './probe.js';
import { sourcesOf } from './sources.js';

/**
 * Makes the bundle of hosts that download themselves: where everything is published, and the digest that it must have, which
 * is pinned or asked of the checksum files and registries. Of what is large, nothing is downloaded. Besides, it has what no
 * host can download: kbs's own image, and the charts of add-ons. Failures as of `createBundle`.
 */
export const createForHosts = async (options: Omit<CreateOptions, 'into' | 'packages'>): Promise<MadeBundle> => {
  const release = known(options.version);
  const cache = options.cache ?? cacheFolder();
  const usual = hostsBundle(release.kubernetes, cache);
  const { wanted, addons, kept } = await mergeWith(usual, options);
  const build = join(cache, 'build');
  await mkdir(build, { recursive: true });
  for (const each of ['build', 'bundles']) await sweep(join(cache, each));

  const { signal, ownPrograms } = options;
  const published = await digestsOf(wanted, join(cache, 'downloads'), { ...options, addons });
  const parts: Part[] = [...kept];
  for (const arch of wanted) {
    const { packed, component } = await packProbe(release, { cache: build, arch, ...defined({ signal }) }, ownPrograms);
    const { files, images } = sourcesOf(release, arch, { addons });
    const probe = below(arch, packed);
    parts.push({
      arch,
      members: [probe],
      catalogue: {
        components: [
          ...files.map(({ name, version, url }) => ({ name, version, from: url })),
          ...images.map(({ name, version, published: from }) => ({ name, version, from })),
          component,
        ],
        binaries: [],
        archives: probe.archive === undefined ? [] : [probe.archive],
        ...defined({ published: published.get(arch) }),
      },
    });
  }
  const charts = addons ? await chartsOf(release, build, options) : undefined;
  return assemble({ kubernetes: release.kubernetes, parts, ...defined({ charts }), into: usual, usual, cache });
};

const digestsOf = async (
  arches: readonly Arch[],
  folder: string,
  {
    version,
    addons = false,
    mirrors = {},
    pins = knownPins,
    signal,
    onDownload = () => {},
  }: Omit<CreateOptions, 'into' | 'packages'>,
): Promise<ReadonlyMap<Arch, Published>> => {
  const fetcher = new Fetcher({ folder, mirrors, pins, signal, onBytes: () => {} });
  const all = arches.map((arch) => ({ arch, sources: sourcesOf(known(version), arch, { addons }) }));
  const digests = new Map<string, { readonly sha256: string; readonly saidBy: string }>();
  const images = new Map<string, string>();
  await allOf(
    all.flatMap(({ arch, sources }) => [
      ...sources.files.map((source) => ({
        name: `the digest of ${source.name} ${source.version} for ${arch}`,
        where: source.url,
        run: async () => void digests.set(source.url, await fetcher.digestOf(source)),
      })),
      ...sources.images.map(({ published }) => ({
        name: `the digest of ${published} for ${arch}`,
        where: published,
        run: async () =>
          void images.set(
            `${published} ${arch}`,
            await digestOfImage({ published }, { arch, folder, mirrors, pins, signal }),
          ),
      })),
    ]),
    { signal, onDone: onDownload },
  );
  return new Map(
    all.map(({ arch, sources }) => [
      arch,
      {
        binaries: sources.files.flatMap(({ url, holds }) => {
          const digest = digests.get(url);
          // In the order of the catalogue's keys: its own sha256 is of its text.
          return digest === undefined
            ? []
            : holds.map(({ name, member }) => ({ name, url, ...digest, ...defined({ member }) }));
        }),
        images: sources.images.flatMap(({ name, published, reference }) => {
          const digest = images.get(`${published} ${arch}`);
          return digest === undefined ? [] : [{ name, published, reference, digest }];
        }),
      },
    ]),
  );
};
