import { resolve } from 'node:path';
import { buildBundle, defaultBundle, type Progress } from '../artifacts/build.js';
import { openBundle, verifyBundle } from '../artifacts/bundle.js';
import type { BundleCatalogue } from '../artifacts/bundle-catalogue.js';
import { knownVersions } from '../artifacts/catalogue.js';

export interface Built {
  readonly version: string;
  readonly path: string;
}

/** Builds a bundle, saying each step. */
export const build = async (
  options: { readonly version?: string | undefined; readonly into?: string | undefined; readonly install: boolean },
  say: (text: string) => void,
): Promise<Built> => {
  const version = options.version ?? newest();
  const { folder } = await buildBundle({
    version,
    install: options.install,
    ...(options.into === undefined ? {} : { into: resolve(options.into) }),
    onProgress: progressReporter(say),
  });
  return { version, path: folder };
};

/** A bundle's catalogue, and a row for each component. */
export const list = async (
  path = defaultBundle(newest()),
): Promise<{ catalogue: BundleCatalogue; rows: readonly string[] }> => {
  const { catalogue } = await openBundle(path);
  const rows = catalogue.components.map(
    ({ name, version, from }) => `${name.padEnd(28)} ${version.padEnd(12)} ${from}`,
  );
  return { catalogue, rows };
};

export const verify = (path = defaultBundle(newest())): Promise<BundleCatalogue> => verifyBundle(path);

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
