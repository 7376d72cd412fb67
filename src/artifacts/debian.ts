import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buildCached, keyOf } from './cache.js';
import { run } from './command.js';
import type { BuildContext } from './go-modules.js';

/**
 * The files of Debian packages, unpacked together below one folder, at the versions that this machine's package lists
 * offer. No maintainer script runs.
 */
export const unpackPackages = async (packages: readonly string[], context: BuildContext): Promise<PackageTree> => {
  const { key, offers } = await offersOf(packages);
  const { folder, made } = await buildCached(context.cache, key, async (folder) => {
    const debs = join(folder, 'packages');
    const tree = join(folder, 'tree');
    await mkdir(debs);
    await mkdir(tree);
    await run('download Debian packages', 'apt-get', ['download', '-q', ...packages], { cwd: debs });
    for (const name of (await readdir(debs)).sort()) {
      await run(`unpack ${name}`, 'dpkg-deb', ['--extract', join(debs, name), tree]);
    }
  });
  return { tree: join(folder, 'tree'), key, made, packages: offers };
};

export interface PackageTree {
  readonly tree: string;
  /** Names the content. */
  readonly key: string;
  readonly made: boolean;
  readonly packages: readonly Offer[];
}

/** What this machine's package lists say of a package. */
export interface Offer {
  readonly name: string;
  readonly version: string;
  /** Hex, of the `.deb`. */
  readonly sha256: string;
  /** What `apt-get download` calls the file, with `%3a` for the colon of an epoch. */
  readonly file: string;
}

/** The packages as the lists offer them, by name, and a key that pins their content. */
export const offersOf = async (packages: readonly string[], options: readonly string[] = []): Promise<Offers> => {
  const words = [...options, 'download', '--print-uris', ...packages];
  const lines = (await run('find Debian packages', 'apt-get', words))
    .split('\n')
    .filter((line) => line !== '')
    .sort();
  return { key: keyOf('debian', lines), offers: lines.map(offer) };
};

export interface Offers {
  readonly key: string;
  readonly offers: readonly Offer[];
}

/** `'http://…' nftables_1.0.6-2+deb12u2_amd64.deb 70340 SHA256:…` */
const offer = (line: string): Offer => {
  const [, file = '', , digest = ''] = line.split(' ');
  const [name = '', version = ''] = file.split('_');
  return { name, version: decodeURIComponent(version), sha256: digest.replace(/^SHA256:/, ''), file };
};
