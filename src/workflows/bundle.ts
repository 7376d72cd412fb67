import { resolve } from 'node:path';
import type { Arch } from '../artifacts/arch.js';
import { buildBundle, type Progress } from '../artifacts/build.js';
import { defaultBundle, openBundle, verifyBundle } from '../artifacts/bundle.js';
import { archesIn, type BundleCatalogue, type Component } from '../artifacts/bundle-catalogue.js';
import { knownVersions } from '../artifacts/catalogue.js';
import { defined } from '../defined.js';

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
  const { folder, catalogue } = await buildBundle({
    version,
    install: options.install,
    ...defined({
      architectures: options.architectures,
      addons: options.addons,
      into: options.into === undefined ? undefined : resolve(options.into),
    }),
    onProgress: progressReporter(say),
  });
  return { version, architectures: archesIn(catalogue), path: folder };
};

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
