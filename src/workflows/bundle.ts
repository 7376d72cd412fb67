import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Arch, architectures, archOfThisMachine } from '../artifacts/arch.js';
import type { Chart } from '../artifacts/artifacts.js';
import { buildBundle, type Progress } from '../artifacts/build/build.js';
import { defaultBundle, openBundle, verifyBundle } from '../artifacts/bundle.js';
import { archesIn, type BundleCatalogue, type Component } from '../artifacts/bundle-catalogue.js';
import { cacheFolder } from '../artifacts/cache.js';
import { known, knownVersions } from '../artifacts/catalogue.js';
import type { Distribution } from '../artifacts/packages/distributions.js';
import { chartsOf } from '../artifacts/upstream/charts.js';
import { type CreateOptions, createBundle } from '../artifacts/upstream/create.js';
import { createForHosts as createBundleForHosts } from '../artifacts/upstream/create-for-hosts.js';
import type { Mirrors } from '../artifacts/upstream/mirrors.js';
import { knownPins, type Pins, readPins } from '../artifacts/upstream/pins.js';
import { sourcesOf } from '../artifacts/upstream/sources.js';
import { defined } from '../defined.js';
import { shortList } from '../inventory/did-you-mean.js';
import { withWriteErrors } from './write-error.js';

export interface Built {
  readonly version: string;
  readonly architectures: readonly Arch[];
  readonly path: string;
}

/** Builds a bundle, saying each step. */
export const build = async (
  options: {
    readonly version?: string | undefined;
    readonly architectures?: readonly Arch[] | undefined;
    readonly into?: string | undefined;
    readonly install: boolean;
    readonly addons?: boolean | undefined;
  },
  say: (text: string) => void,
): Promise<Built> => {
  const version = options.version ?? newest();
  const { folder, catalogue } = await writing(() =>
    buildBundle({
      version,
      install: options.install,
      ...defined({
        architectures: options.architectures,
        addons: options.addons,
        into: options.into === undefined ? undefined : resolve(options.into),
      }),
      onProgress: progressReporter(say),
    }),
  );
  return { version, architectures: archesIn(catalogue), path: folder };
};

/** Makes a bundle of what the projects publish, saying each download. */
export const create = async (
  options: {
    readonly version?: string | undefined;
    readonly architectures?: readonly Arch[] | undefined;
    readonly into?: string | undefined;
    readonly addons?: boolean | undefined;
    readonly mirrors?: Mirrors | undefined;
    readonly packages?: readonly Distribution[] | undefined;
    /** A file of digests, in place of those that kbs knows. */
    readonly pins?: string | undefined;
    readonly signal?: AbortSignal | undefined;
  },
  say: (text: string) => void,
): Promise<Built> => {
  const version = options.version ?? newest();
  const { end, ...hears } = downloadReporter(say);
  try {
    const pins = options.pins === undefined ? undefined : await readPins(options.pins);
    const unused = unusedPins(pins ?? {}, version);
    if (unused.length > 0) say(`not in a bundle of ${version}, so pinned for nothing: ${shortList(unused)}`);
    const { folder, catalogue } = await writing(() =>
      createBundle({
        version,
        ...hears,
        ...defined({
          architectures: options.architectures,
          addons: options.addons,
          mirrors: options.mirrors,
          packages: options.packages,
          signal: options.signal,
          into: options.into === undefined ? undefined : resolve(options.into),
          pins,
        }),
      }),
    );
    return { version, architectures: archesIn(catalogue), path: folder };
  } finally {
    end();
  }
};

/** Fetches the digests of what hosts of a cluster download themselves, saying each. */
export const createForHosts = async (
  {
    pins: file,
    ...options
  }: Pick<CreateOptions, 'version' | 'architectures' | 'addons' | 'mirrors' | 'signal'> & {
    /** A file of digests, in place of those that kbs knows. */
    readonly pins?: string;
  },
  say: (text: string) => void,
): Promise<void> => {
  const pins = file === undefined ? undefined : await readPins(file);
  const onDownload = (name: string, n: number, of: number) => say(`[${n}/${of}] ${name}`);
  const onLeftOut = (arch: Arch, why: string) => say(`no host that is ${arch} can download: ${why}`);
  await writing(() => createBundleForHosts({ ...options, ...defined({ pins }), onDownload, onLeftOut }));
};

/** The charts of add-ons that kbs has for a version, by their add-ons, out of the modules of their projects. */
export const createCharts = ({
  version,
  ...options
}: Pick<CreateOptions, 'version' | 'mirrors' | 'signal'>): Promise<ReadonlyMap<string, Chart>> =>
  writing(async () => {
    const cache = join(cacheFolder(), 'build');
    await mkdir(cache, { recursive: true });
    const made = await chartsOf(known(version), cache, options);
    const read = made.map(async ({ chart, member: { sha256 }, source }) => {
      const { addon = '', name = '', version: of = '' } = chart ?? {};
      return [addon, { name, version: of, sha256, tgz: await readFile(source) }] as const;
    });
    return new Map(await Promise.all(read));
  });

/** A full disk, or a folder that cannot be written, is the user's to repair. */
const writing = <T>(work: () => Promise<T>): Promise<T> =>
  withWriteErrors(
    `the bundle, or the cache in ${cacheFolder()},`,
    'make room there, or the folder writable; XDG_CACHE_HOME names another cache',
    work,
  );

/** Addresses that are pinned, and of which nothing comes into a bundle of a version, whatever it is for. */
const unusedPins = (pins: Pins, version: string): readonly string[] => {
  const used = new Set(
    architectures.flatMap((arch) => {
      const { files, images } = sourcesOf(known(version), arch, { addons: true });
      return [...files.map(({ url }) => url), ...images.map(({ published }) => published)];
    }),
  );
  return Object.keys(pins).filter((address) => !used.has(address));
};

/** What would be downloaded: a row for each file and image, with what its content is compared with. */
export const sources = async (options: {
  readonly version?: string | undefined;
  readonly architectures?: readonly Arch[] | undefined;
  readonly addons?: boolean | undefined;
  readonly pins?: string | undefined;
}): Promise<readonly Download[]> => {
  const release = known(options.version ?? newest());
  const pins = options.pins === undefined ? knownPins : await readPins(options.pins);
  return (options.architectures ?? [archOfThisMachine()]).flatMap((arch) => {
    const { files, images } = sourcesOf(release, arch, defined({ addons: options.addons }));
    return [
      ...files.map(({ name, version, url, checksum }) => ({
        arch,
        name,
        version,
        from: url,
        ...pinOr(pins[url], checksum),
      })),
      ...images.map(({ name, version, published }) => ({
        arch,
        name,
        version,
        from: published,
        ...pinOr(pins[published], 'the digest that its registry says'),
      })),
    ];
  });
};

export interface Download extends Component {
  readonly arch: Arch;
  /** What the content is compared with where kbs has no digest. */
  readonly checkedBy?: string;
}

const pinOr = (sha256: string | undefined, checkedBy: string) => (sha256 === undefined ? { checkedBy } : { sha256 });

/** A bundle's catalogue, and a row for each component, with the architectures that have it. */
export const list = async (
  path = defaultBundle(newest()),
): Promise<{ catalogue: BundleCatalogue; rows: readonly string[] }> => {
  const { catalogue } = await openBundle(path);
  return { catalogue, rows: rowsOf(catalogue) };
};

const rowsOf = (catalogue: BundleCatalogue): readonly string[] => {
  const rows = new Map<string, Arch[]>();
  for (const arch of archesIn(catalogue)) {
    for (const component of catalogue.architectures[arch]?.components ?? []) {
      const row = rowOf(component);
      rows.set(row, [...(rows.get(row) ?? []), arch]);
    }
  }
  return [...rows].map(([row, arches]) => `${arches.join(',').padEnd(12)} ${row}`);
};

const rowOf = ({ name, version, from }: Component): string => `${name.padEnd(28)} ${version.padEnd(12)} ${from}`;

/** Its catalogue, once every member was hashed again, and the architectures that it is for. */
export const verify = async (
  path = defaultBundle(newest()),
): Promise<{ catalogue: BundleCatalogue; arches: readonly Arch[] }> => {
  const catalogue = await verifyBundle(path);
  return { catalogue, arches: archesIn(catalogue) };
};

/** Announces each download, and every few seconds how much has arrived. */
const downloadReporter = (say: (text: string) => void) => {
  let arrived = 0;
  let said = 0;
  const timer = setInterval(() => {
    if (arrived === said) return;
    say(`${megabytes(arrived)} MB so far, ${megabytes((arrived - said) / everySeconds)} MB/s`);
    said = arrived;
  }, everySeconds * 1000);
  return {
    onBytes: (count: number) => {
      arrived += count;
    },
    onDownload: (name: string, n: number, of: number) => say(`[${n}/${of}] ${name}`),
    onPack: (arch: Arch) => say(`packing for ${arch}`),
    end: () => clearInterval(timer),
  };
};

const everySeconds = 5;

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

const newest = (): string => knownVersions()[0] ?? '';

/** Announces a step once it takes a second; steps that come from the cache at once are not announced. */
const progressReporter = (say: (text: string) => void): ((progress: Progress) => void) => {
  let announcing: NodeJS.Timeout | undefined;
  return ({ name, n, of, state, seconds }) => {
    clearTimeout(announcing);
    if (state === 'started') announcing = setTimeout(() => say(`[${n}/${of}] ${name} …`), 1000);
    if (state === 'built') say(`[${n}/${of}] ${name}: ${seconds.toFixed(1)} s`);
  };
};
