import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type ArchCatalogue, printCatalogue } from '../../src/artifacts/bundle-catalogue.js';
import { create, list, verify } from '../../src/workflows/bundle.js';

const holding = (arch: string, ...components: ArchCatalogue['components']): ArchCatalogue => ({
  components,
  binaries: [],
  archives: [],
  repositories: { 'debian-12': `${arch}/packages/debian-12.tar` },
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kbs-list-'));
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
  const runc = { name: 'runc', version: '1.5.2', from: 'github.com/opencontainers/runc v1.5.2' };
  const nft = (version: string) => ({ name: 'nftables', version, from: 'debian' });
  const amd64 = holding('amd64', runc, nft('1.0.6-2'));
  const arm64 = holding('arm64', runc, nft('1.0.6-2+b1'));
  const text = printCatalogue({ format: 2, kubernetes: '1.36.3', architectures: { amd64, arm64 }, members: [] });
  await writeFile(join(folder, 'catalogue.json'), text);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

it('a list names what is the same for all architectures once, and each other version with its own', async () => {
  const { rows } = await list(folder);
  expect(rows.map((row) => row.split(/\s+/).slice(0, 3).join(' '))).toEqual([
    'amd64,arm64 runc 1.5.2',
    'amd64 nftables 1.0.6-2',
    'arm64 nftables 1.0.6-2+b1',
  ]);
});

it('a verified bundle says for which architectures it is', async () => {
  expect((await verify(folder)).arches).toEqual(['amd64', 'arm64']);
});

it('a cache that cannot be written is the user’s to repair, and no bug', async () => {
  const cache = join(folder, 'catalogue.json', 'cache');
  vi.stubEnv('XDG_CACHE_HOME', cache);
  await expect(create({}, () => {})).rejects.toMatchObject({
    code: 'usage',
    message: `the bundle, or the cache in ${cache}/kbs, cannot be written`,
    why: [expect.stringContaining('ENOTDIR')],
  });
});

it.each<[string, string, RegExp]>([
  ['no JSON', 'x', /JSON/],
  ['a list', '[]', /expected record/],
  ['a digest of another kind', '{"https://dl.k8s.io/x":"sha512:00"}', /^https:[/][/]dl[.]k8s[.]io[/]x: is no sha256/],
])('digests that are %s are refused', async (_name, text, why) => {
  const pins = join(folder, 'pins.json');
  await writeFile(pins, text);
  await expect(create({ pins }, () => {})).rejects.toMatchObject({
    code: 'usage',
    why: [expect.stringMatching(why)],
  });
});

it('a digest of an address that is not asked is said, for it proves nothing', async () => {
  const pins = join(folder, 'pins.json');
  const kubelet = 'https://dl.k8s.io/release/v1.36.3/bin/linux/arm64/kubelet';
  await writeFile(pins, JSON.stringify({ [kubelet]: 'a'.repeat(64), [`${kubelet}s`]: 'a'.repeat(64) }));
  const said: string[] = [];
  vi.stubEnv('XDG_CACHE_HOME', join(pins, 'not a folder'));
  await expect(create({ version: '1.36.3', pins }, (text) => said.push(text))).rejects.toMatchObject({ code: 'usage' });
  expect(said).toEqual([`not in a bundle of 1.36.3, so pinned for nothing: ${kubelet}s`]);
});
