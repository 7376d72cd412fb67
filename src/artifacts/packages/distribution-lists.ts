import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Arch } from '../arch.js';
import { buildCached, keyOf, sweepOthers } from '../cache.js';
import { run } from '../command.js';
import { readingLists } from './apt.js';
import type { Distribution } from './distributions.js';

/**
 * Options that make apt-get and apt-cache speak of a release's packages, whatever this machine runs: from its own mirrors, by
 * its own keys, with package lists of today in the cache.
 */
export const optionsOfDistribution = async (
  distribution: Distribution,
  arch: Arch,
  cache: string,
): Promise<readonly string[]> => {
  const text = sourcesFor(distribution, arch);
  const today = new Date().toISOString().slice(0, 10);
  const key = keyOf(`package-lists-${distribution}-${arch}`, [text, today]);
  const { folder } = await buildCached(cache, key, async (into) => {
    await writeFile(join(into, 'kbs.sources'), text);
    for (const each of ['lists', 'lists/partial']) await mkdir(join(into, each));
    const words = [...optionsIn(into, arch), 'update', '-q', '--error-on=any'];
    await run(`fetch the package lists of ${distribution} for ${arch}`, 'apt-get', words);
  });
  await sweepOthers(cache, key);
  return optionsIn(folder, arch);
};

const optionsIn = (folder: string, arch: Arch): readonly string[] => [
  ...readingLists(arch, join(folder, 'lists')),
  ...['-o', `Dir::Etc::sourcelist=${join(folder, 'kbs.sources')}`],
  ...['-o', 'Dir::Etc::sourceparts=-'],
];

/** deb822-style entries of sources.list(5). */
const sourcesFor = (distribution: Distribution, arch: Arch): string => {
  const { codename, family } = releases[distribution];
  return family === 'debian'
    ? [
        entry('http://deb.debian.org/debian', [codename, `${codename}-updates`], debianKeys),
        entry('http://deb.debian.org/debian-security', [`${codename}-security`], debianKeys),
      ].join('\n')
    : entry(
        arch === 'amd64' ? 'http://archive.ubuntu.com/ubuntu' : 'http://ports.ubuntu.com/ubuntu-ports',
        [codename, `${codename}-updates`, `${codename}-security`],
        ubuntuKeys,
      );
};

const entry = (uri: string, suites: readonly string[], keys: string): string =>
  `Types: deb\nURIs: ${uri}\nSuites: ${suites.join(' ')}\nComponents: main\nSigned-By: ${keys}\n`;

const releases: Readonly<Record<Distribution, { readonly codename: string; readonly family: 'debian' | 'ubuntu' }>> = {
  'debian-12': { codename: 'bookworm', family: 'debian' },
  'debian-13': { codename: 'trixie', family: 'debian' },
  'ubuntu-22.04': { codename: 'jammy', family: 'ubuntu' },
  'ubuntu-24.04': { codename: 'noble', family: 'ubuntu' },
  'ubuntu-26.04': { codename: 'resolute', family: 'ubuntu' },
};

/** Of Debian's package debian-archive-keyring, which Ubuntu has too. */
const debianKeys = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Ubuntu's archive key of 2018, F6EC B376 2474 EDA9 D21B 7022 8719 20D1 991B C93C: Debian has no package of it. */
const ubuntuKeys = fileURLToPath(new URL('keyrings/ubuntu-archive.asc', import.meta.url));
