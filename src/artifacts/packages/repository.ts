import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../../failure.js';
import type { BuildContext } from '../build/context.js';
import { type Measure, measure, type PackedMember, readMetadata, writeMetadata } from '../bundle-members.js';
import { buildCached, keyOf } from '../cache.js';
import { run } from '../command.js';
import { sha256OfFile } from '../digest.js';
import { type Entry, tarOf } from '../tar.js';
import { type Offer, offersOf, optionsFor } from './apt.js';
import { optionsOfDistribution } from './distribution-lists.js';
import type { Distribution } from './distributions.js';

/**
 * A tar of a flat apt repository that holds these packages with all they depend on, so that a host of the same Debian
 * release installs them without a mirror. Versions are those that the package lists of the distribution offer; without one,
 * those of this machine.
 */
export const makeRepository = async (
  packages: readonly string[],
  { cache, arch }: Pick<BuildContext, 'cache' | 'arch'>,
  distribution?: Distribution,
): Promise<PackedMember & { readonly packages: readonly Offer[] }> => {
  const offered =
    distribution === undefined ? optionsFor(arch, cache) : optionsOfDistribution(distribution, arch, cache);
  const options = [...(await offered), ...fromNothing];
  const { key, offers } = await offersOf(await withAllTheyNeed(packages, options), options);
  const { folder, made } = await buildCached(cache, keyOf('repository', [format, key]), async (folder) => {
    const debs = join(folder, 'packages');
    await mkdir(debs);
    const pinned = offers.map(({ name, version }) => `${name}=${version}`);
    await run('download Debian packages', 'apt-get', [...options, 'download', '-q', ...pinned], { cwd: debs });
    for (const offer of offers) await check(join(debs, offer.file), offer);
    // By name: the order of the lists is that of mirrors.
    const files = offers.map(({ file }) => join(debs, file)).sort();
    await pipeline(tarOf(await repositoryOf(files)), createWriteStream(join(folder, 'repository.tar')));
    await rm(debs, { recursive: true });
    await writeMetadata(folder, await measure(join(folder, 'repository.tar')));
  });
  const member = { file: `packages/${distribution ?? 'debian-12'}.tar`, ...(await readMetadata<Measure>(folder)) };
  return { source: join(folder, 'repository.tar'), member, made, packages: offers };
};

/** The members of a flat repository of these `.deb` files, for `deb [trusted=yes] file:/… ./` (sources.list(5)). */
export const repositoryOf = async (debs: readonly string[]): Promise<readonly Entry[]> => {
  const stanzas = await Promise.all(debs.map(stanza));
  return [
    { type: 'text', path: 'Packages', mode: 0o644, text: stanzas.map(({ text }) => text).join('\n') },
    ...stanzas.map(({ path, file }): Entry => ({ type: 'file', path, mode: 0o644, file })),
  ];
};

/** Builds only where the package lists are those of the release that hosts run; `text` is that of os-release(5). */
export const refuseOtherThanDebian = async (text?: string): Promise<void> => {
  const release = text ?? (await readFile('/etc/os-release', 'utf8').catch(() => ''));
  const says = (field: string) => new RegExp(`^${field}=["']?([^"'\\n]*)`, 'm').exec(release)?.[1] ?? '';
  if (says('ID') === 'debian' && says('VERSION_ID') === '12') return;
  throw new Failure('preflight', 'a bundle is built on Debian 12, and this machine is another system', {
    why: [
      `/etc/os-release says ${says('PRETTY_NAME') || 'nothing'}`,
      'the bundle brings haproxy and keepalived for Debian 12, at the versions that this machine’s apt-get offers',
    ],
    next: 'build the bundle on a Debian 12 machine, and copy it here.',
  });
};

/** Part of the key: another way to lay the repository out makes another one. */
const format = 1;

/** As if nothing were installed here yet, and without a trace in apt's cache. */
const fromNothing = [
  ...['-o', 'Dir::State::status=/dev/null'],
  ...['-o', 'Dir::Cache::pkgcache='],
  ...['-o', 'Dir::Cache::srcpkgcache='],
];

/** What apt-get would install on an empty machine, less what every Debian has. */
const withAllTheyNeed = async (packages: readonly string[], options: readonly string[]): Promise<readonly string[]> => {
  const words = [...options, 'install', '--simulate', '--no-install-recommends', ...packages];
  const simulated = await run(`choose Debian packages for ${packages.join(' and ')}`, 'apt-get', words);
  const chosen = [...simulated.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name);
  const shown = await run('ask about Debian packages', 'apt-cache', [
    ...options,
    'show',
    '--no-all-versions',
    ...chosen,
  ]);
  const always = shown
    .split('\n\n')
    .filter((each) => /^(Essential: yes|Priority: required)$/m.test(each))
    .map((each) => /^Package: (\S+)$/m.exec(each)?.[1]);
  return chosen.filter((name) => !always.includes(name));
};

const check = async (deb: string, { name, version, sha256 }: Offer): Promise<void> => {
  const digest = await sha256OfFile(deb).catch(String);
  const says = (await run(`read ${deb}`, 'dpkg-deb', ['--show', '--showformat=${Package} ${Version}', deb])).trim();
  if (digest === sha256 && says === `${name} ${version}`) return;
  throw new Failure('preflight', `the Debian package ${name} is not what the package lists say`, {
    why: [`it says that it is ${says}, with sha256 ${digest}`, `the lists say ${name} ${version}, with ${sha256}`],
    next: 'run `apt-get update` and the same command again.',
  });
};

/** A package's own control fields, and where and what its file is (deb-control(5), Packages of a repository). */
const stanza = async (file: string) => {
  const control = (await run(`read ${file}`, 'dpkg-deb', ['--field', file])).trimEnd();
  const field = (name: string) => new RegExp(`^${name}: (.+)$`, 'm').exec(control)?.[1] ?? '';
  // Without the version: an epoch's colon would need an escape that apt undoes once too often.
  const path = `${field('Package')}_${field('Architecture')}.deb`;
  const { size } = await stat(file);
  const text = `${control}\nFilename: ./${path}\nSize: ${size}\nSHA256: ${await sha256OfFile(file)}\n`;
  return { path, file, text };
};
