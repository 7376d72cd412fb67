import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Arch, archOfThisMachine } from '../arch.js';
import type { BuildContext } from '../build/context.js';
import { buildCached, keyOf } from '../cache.js';
import { run } from '../command.js';
import { sha256OfFile } from '../digest.js';

/**
 * The files of Debian packages, unpacked together below one folder, at the versions that this machine's package lists
 * offer. No maintainer script runs.
 */
export const unpackPackages = async (
  packages: readonly string[],
  context: Pick<BuildContext, 'cache' | 'arch'>,
): Promise<PackageTree> => {
  const options = await optionsFor(context.arch, context.cache);
  const { key, offers } = await offersOf(packages, options);
  const { folder, made } = await buildCached(context.cache, key, async (folder) => {
    const debs = join(folder, 'packages');
    const tree = join(folder, 'tree');
    await mkdir(debs);
    await mkdir(tree);
    await run('download Debian packages', 'apt-get', [...options, 'download', '-q', ...packages], { cwd: debs });
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

/**
 * Options that make apt-get and apt-cache speak of the packages of an architecture; none for that of this machine. Another
 * one has package lists in the cache, from the same mirrors, fetched whenever this machine's own lists have changed: dpkg
 * and apt of this machine stay as they are.
 */
export const optionsFor = async (arch: Arch, cache: string): Promise<readonly string[]> => {
  if (arch === archOfThisMachine()) return [];
  const { folder } = await buildCached(cache, keyOf(`package-lists-${arch}`, await releases()), async (lists) => {
    await mkdir(join(lists, 'partial'));
    // Without the option, apt-get passes over a mirror that does not answer, and the lists would lack it for good.
    const words = [...readingLists(arch, lists), 'update', '-q', '--error-on=any'];
    await run(`fetch the package lists of ${arch}`, 'apt-get', words);
  });
  return readingLists(arch, folder);
};

/** Options that make apt-get and apt-cache speak of the packages in a folder of lists, whatever this machine has. */
export const readingLists = (arch: Arch, lists: string): readonly string[] =>
  [
    `APT::Architecture=${arch}`,
    `APT::Architectures=${arch}`,
    `Dir::State::Lists=${lists}`,
    'Dir::State::status=/dev/null',
    'Dir::Cache::pkgcache=',
    'Dir::Cache::srcpkgcache=',
    'Acquire::Languages=none',
    // Else digests of SHA512 are printed where lists have both.
    'Acquire::ForceHash=sha256',
    // The cache is its owner's alone, so apt's own user could not write into it.
    'APT::Sandbox::User=root',
  ].flatMap((setting) => ['-o', setting]);

/** What names the state of this machine's own package lists: the Release file of each mirror, by content. */
const releases = async (): Promise<readonly (readonly [string, string])[]> => {
  const said = await run('find the package lists', 'apt-config', ['shell', 'LISTS', 'Dir::State::lists/d']);
  const folder = /^LISTS='(.*)'$/m.exec(said)?.[1] ?? '/var/lib/apt/lists/';
  const names = (await readdir(folder).catch(() => [])).filter((name) => /_(In)?Release$/.test(name)).sort();
  return Promise.all(names.map(async (name) => [name, await sha256OfFile(join(folder, name))] as const));
};

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
export const offersOf = async (packages: readonly string[], options: readonly string[]): Promise<Offers> => {
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
