import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StoredArtifacts } from '../../../src/artifacts/artifacts.js';
import { openBundle, upstreamBundle } from '../../../src/artifacts/bundle.js';
import { archesIn, printCatalogue } from '../../../src/artifacts/bundle-catalogue.js';
import { known, knownVersions } from '../../../src/artifacts/catalogue.js';
import { type CreateOptions, createBundle } from '../../../src/artifacts/upstream/create.js';
import { ownProgramPath } from '../../../src/artifacts/upstream/own-program.js';
import { sourcesOf } from '../../../src/artifacts/upstream/sources.js';
import { failuresIn } from '../../../src/failure.js';
import { sha256 } from '../../../src/secret.js';
import { type ChartServer, content, serveCharts } from '../../support/chart-server.js';
import { makeSigner, publishUpstream, serveFile, smallLayer } from '../../support/upstream.js';

const version = knownVersions()[0] ?? '';
const release = known(version);
const sources = sourcesOf(release, 'amd64');
const probe = release.programs.find(({ name }) => name === 'probe');

let home: string;
let root: string;
let server: ChartServer;
let signer: Awaited<ReturnType<typeof makeSigner>>;
let mirrors: Readonly<Record<string, string>>;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'kbs-upstream-'));
  root = join(home, 'mirror');
  const text = async (name: string) => {
    const path = join(home, name);
    await writeFile(path, `the program ${name}, as it is published\n`);
    return path;
  };
  signer = await makeSigner();
  await publishUpstream(root, sources, 'amd64', {
    sign: signer.sign,
    program: text,
    image: ({ name }) => smallLayer(join(home, `${name}.layer`), name.startsWith('kube-') ? 'base' : name),
  });
  if (probe === undefined) throw new Error('the release has no probe');
  await mkdir(join(home, 'own/amd64'), { recursive: true });
  await writeFile(join(home, 'own', ownProgramPath(probe, 'amd64')), 'the probe');
  server = await serveCharts();
  const hosts = [...sources.files.map(({ url }) => new URL(url).host), ...registries];
  mirrors = Object.fromEntries(hosts.map((host) => [host, `https://${server.host}/${host}`]));
});
beforeEach(() => {
  server.paths.clear();
  server.asked.length = 0;
  // A registry's API begins with /v2: the mirror keeps each registry below its name there.
  server.otherwise = ({ url = '', headers }, response) =>
    void serveFile(root, url.replace(/^\/v2\/([^/]+)\//, '/$1/v2/'), headers.range, response);
});
afterAll(async () => {
  await server.close();
  await rm(home, { recursive: true, force: true });
});

const registries = [...new Set(sources.images.map(({ published }) => published.split('/')[0] ?? ''))];

const create = async (more: Partial<CreateOptions> = {}, cache?: string) =>
  createBundle({
    version,
    architectures: ['amd64'],
    cache: cache ?? (await mkdtemp(join(home, 'cache-'))),
    ownPrograms: join(home, 'own'),
    mirrors,
    pins: {},
    keys: { runc: signer.key },
    ...more,
  });

const refused = async (more: Partial<CreateOptions> = {}): Promise<readonly string[]> =>
  create(more).then(
    () => [],
    (error: unknown) => failuresIn(error).map(({ message, why }) => [message, ...why].join(': ')),
  );

/** Where the mirror has what is published at an address. */
const path = (name: string) => new URL(sources.files.find((file) => file.name === name)?.url ?? '');
const at = (name: string): string => `/${path(name).host}${path(name).pathname}`;

describe('a bundle of what the projects publish', () => {
  let cache: string;
  let bundle: string;
  let held: StoredArtifacts;
  const bytes: number[] = [];

  beforeAll(async () => {
    cache = await mkdtemp(join(home, 'cache-'));
    bundle = join(home, 'bundle');
    server.otherwise = ({ url = '', headers }, response) =>
      void serveFile(root, url.replace(/^\/v2\/([^/]+)\//, '/$1/v2/'), headers.range, response);
    await create({ into: bundle, onBytes: (count) => bytes.push(count) }, cache);
    held = (await openBundle(bundle, { cache })).of('amd64');
  });

  it.each(sources.files.flatMap(({ holds }) => holds.map(({ name }) => name)))(
    'has %s as it is published',
    async (name) => {
      const { file, packing, sha256: digest, size } = held.binary(name);
      const text = `the program ${name}, as it is published\n`;
      expect(packing).toBe('gzip');
      expect(gunzipSync(await readFile(file)).toString()).toBe(text);
      expect([digest, size]).toEqual([sha256(text), text.length]);
    },
  );

  it.each(sources.images)('has the image $published by the name of pods', async ({ name, reference }) => {
    expect(held.image(name).images.map((image) => image.reference)).toContain(reference);
    expect((await readFile(held.image(name).archive.file)).includes(`"${reference}"`)).toBe(true);
  });

  it('has the images of the control plane in one archive, with their base once', async () => {
    const { archive, images } = held.image('kube-apiserver');
    expect(images).toHaveLength(3);
    expect(held.image('kube-scheduler').archive).toEqual(archive);
    const names = (await readFile(archive.file)).toString('latin1').match(/blobs\/sha256\/[0-9a-f]{64}/g) ?? [];
    expect(new Set(names).size).toBe(names.length);
  });

  it('has the probe that came with kbs, no zstd and no packages', () => {
    expect(held.image('probe').images).toHaveLength(1);
    expect([held.unpacker(), held.repository('debian-12')]).toEqual([undefined, undefined]);
  });

  it('lists where everything is from, with its sha256', async () => {
    const { catalogue } = await openBundle(bundle, { cache });
    const { components = [] } = catalogue.architectures.amd64 ?? {};
    expect(components.map(({ from }) => from)).toEqual([
      ...sources.files.map(({ url }) => url),
      ...sources.images.map(({ published }) => published),
      'kbs',
    ]);
    expect(components.filter(({ sha256: digest }) => digest === undefined).map(({ name }) => name)).toEqual(['probe']);
  });

  it('has what add-ons need where that is asked for, images of one archive together', async () => {
    const all = sourcesOf(release, 'amd64', { addons: true });
    expect(all.files.map(({ name }) => name)).toEqual(expect.arrayContaining(['helm', 'node-exporter']));
    const names = all.images.map(({ name }) => name);
    const needed = release.archives.flatMap(({ images }) => images);
    expect(needed.filter((name) => !names.includes(name as (typeof names)[number])).toSorted()).toEqual([
      'nvidia-device-plugin',
      'probe',
    ]);
  });

  it('counts the bytes that arrive', () => {
    expect(bytes.length).toBeGreaterThan(sources.files.length);
  });

  it('is made again without a question to anyone', async () => {
    server.otherwise = (_request, response) => void response.writeHead(500).end();
    server.asked.length = 0;
    const { catalogue } = await create({ into: join(home, 'again') }, cache);
    expect(server.asked).toEqual([]);
    expect(catalogue).toEqual((await openBundle(bundle, { cache })).catalogue);
  });
});

describe('a bundle of the cache', () => {
  it('keeps what it has for another architecture', async () => {
    const cache = await mkdtemp(join(home, 'cache-'));
    await create({}, cache);
    const folder = upstreamBundle(version, cache);
    const before = (await openBundle(folder, { cache })).catalogue;
    // As if it were of another machine.
    const moved = JSON.stringify(before).replaceAll('amd64/', 'arm64/').replace('"amd64":', '"arm64":');
    await rename(join(folder, 'amd64'), join(folder, 'arm64'));
    await writeFile(join(folder, 'catalogue.json'), printCatalogue(JSON.parse(moved)));
    const { catalogue } = await create({}, cache);
    expect(archesIn(catalogue)).toEqual(['amd64', 'arm64']);
    expect(catalogue.architectures.amd64).toEqual(before.architectures.amd64);
    const bundle = await openBundle(folder, { cache });
    for (const arch of ['amd64', 'arm64'] as const) {
      expect(bundle.of(arch).binary('kubelet').sha256).toBe(held('kubelet'));
    }
    // Elsewhere it has what was asked for, and no more.
    const { catalogue: alone } = await create({ into: join(home, 'alone') }, cache);
    expect(archesIn(alone)).toEqual(['amd64']);
  });

  const held = (name: string) => sha256(`the program ${name}, as it is published\n`);
});

describe('what is not as it should be is refused, each by its address', () => {
  it('all at once', async () => {
    for (const name of ['kubelet', 'runc', 'etcd']) server.paths.set(at(name), content('something else'));
    const said = await refused();
    expect(said).toHaveLength(3);
    expect(said[0]).toMatch(
      /^kubelet 1[.]36[.]3 for amd64 could not be downloaded: https:.*kubelet: it has sha256 \w+, and https:.*[.]sha256 says \w+$/,
    );
  });

  it.each<[string, () => void, RegExp]>([
    [
      'a file that is not there',
      () => server.paths.set(at('runc'), (response) => response.writeHead(404).end()),
      /answers 404/,
    ],
    [
      'a checksum that is not there',
      () => server.paths.set(`${at('coredns')}.sha256`, (response) => response.writeHead(404).end()),
      /sha256 answers 404/,
    ],
    [
      'a checksum of other files',
      () => server.paths.set(`${at('coredns')}.sha256`, content(`${'a'.repeat(64)}  x`)),
      /has no sha256 of coredns_/,
    ],
    [
      'a redirect to plain http',
      () =>
        server.paths.set(at('runc'), (response) =>
          response.writeHead(302, { location: 'http://127.0.0.1/runc' }).end(),
        ),
      /leads to http:\/\/127[.]0[.]0[.]1\/runc, which is not https/,
    ],
    [
      'a manifest of an image that another digest names',
      () => {
        server.otherwise = ({ url = '', headers }, response) => {
          if (/kube-proxy\/manifests\/sha256/.test(url)) return void response.end('{"schemaVersion":2}');
          void serveFile(root, url.replace(/^\/v2\/([^/]+)\//, '/$1/v2/'), headers.range, response);
        };
      },
      /has the digest sha256:\w+, and the index of registry[.]k8s[.]io\/kube-proxy:v1[.]36[.]3 says/,
    ],
    [
      'an image without this architecture',
      () => server.paths.set(`/v2/registry.k8s.io/pause/manifests/3.10.2`, content('{"manifests":[{"digest":"x"}]}')),
      /is not published for amd64/,
    ],
    [
      'a registry that wants a login',
      () => server.paths.set('/v2/quay.io/coreos/etcd/manifests/v3.7.3', (response) => response.writeHead(403).end()),
      /it wants a login/,
    ],
  ])('%s', async (_name, plant, expected) => {
    plant();
    const said = await refused();
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(expected);
  });

  it('a checksum that another key has signed, or none, or that was changed after that', async () => {
    const { pathname, host } = path('runc');
    const checksum = `/${host}${pathname.replace(/[^/]+$/, 'runc.sha256sum')}`;
    const signed = await readFile(join(root, checksum), 'utf8');
    const other = await makeSigner();
    for (const text of [
      await other.sign('text'),
      'text',
      signed.replace(/[0-9a-f]{64} {2}runc/, `${'a'.repeat(64)}  runc`),
    ]) {
      server.paths.set(checksum, content(text));
      const said = await refused();
      expect(said).toHaveLength(1);
      expect(said[0]).toMatch(
        /^runc .*runc[.]sha256sum: (its signature is not by a key that kbs knows|it is not signed)/,
      );
    }
    expect(await refused({ keys: {} })).toHaveLength(1);
  });

  it('what is pinned is compared with that alone', async () => {
    const kubelet = sources.files.find(({ name }) => name === 'kubelet');
    const pins = { [kubelet?.url ?? '']: 'b'.repeat(64), 'registry.k8s.io/kube-proxy:v1.36.3': 'c'.repeat(64) };
    const said = await refused({ pins });
    expect(said).toHaveLength(2);
    expect(said[0]).toMatch(/and what is pinned says b{64}/);
    expect(said[1]).toMatch(/and what is pinned is sha256:c{64}/);
    expect(server.asked.filter((each) => each.endsWith('/kubelet.sha256'))).toEqual([]);
  });
});

it.each([
  ['is no archive', 'text', 'incorrect header check'],
  ['lacks a program', gzipSync(Buffer.alloc(1024)), 'holds no coredns'],
])('what %s is named, though it is as its project says', async (_name, archive, why) => {
  server.paths.set(at('coredns'), content(archive));
  server.paths.set(`${at('coredns')}.sha256`, content(`${sha256(archive)}  ${basename(path('coredns').pathname)}`));
  await expect(create()).rejects.toMatchObject({ code: 'preflight', why: [expect.stringContaining(why)] });
});

it.each([
  ['no image', '{"schemaVersion":1}'],
  ['an error of a registry', '{"errors":[{"code":"TOOMANYREQUESTS"}]}'],
])('keeps no manifest that is %s', async (_name, text) => {
  const cache = await mkdtemp(join(home, 'cache-'));
  const tag = '/v2/registry.k8s.io/pause/manifests/3.10.2';
  server.paths.set(tag, content(text));
  await expect(create({}, cache)).rejects.toMatchObject({
    failures: [{ why: ['the manifest of registry.k8s.io/pause:3.10.2 names no configuration and layers'] }],
  });
  server.paths.delete(tag);
  await create({}, cache);
});

it('asks a registry that wants a login for a blob once', async () => {
  server.otherwise = ({ url = '', headers }, response) => {
    if (/coredns[/]coredns[/]blobs/.test(url)) return void response.writeHead(403).end();
    void serveFile(root, url.replace(/^\/v2\/([^/]+)\//, '/$1/v2/'), headers.range, response);
  };
  expect(await refused()).toHaveLength(1);
  const blobs = server.asked.filter((path) => /coredns[/]coredns[/]blobs/.test(path));
  expect(new Set(blobs).size).toBe(blobs.length);
});

it('takes a manifest whose digest the registry says by another algorithm', async () => {
  const before = server.otherwise;
  server.otherwise = (request, response) => {
    response.setHeader('docker-content-digest', `sha512:${'0'.repeat(128)}`);
    before(request, response);
  };
  await create();
});

it('waits for servers that are busy, without a warning of Node', async () => {
  const warnings: string[] = [];
  const listen = ({ message }: Error) => warnings.push(message);
  process.on('warning', listen);
  const busy = new Set<string>();
  const before = server.otherwise;
  server.otherwise = (request, response) => {
    const { url = '' } = request;
    if (busy.has(url)) return before(request, response);
    busy.add(url);
    response.writeHead(503).end();
  };
  await create({ signal: new AbortController().signal });
  process.off('warning', listen);
  expect(warnings).toEqual([]);
});

it('ends at once where it is interrupted, and keeps what arrived', async () => {
  const [cache, interruption] = [await mkdtemp(join(home, 'cache-')), new AbortController()];
  const reason = new Error('interrupted');
  server.paths.set(at('kubelet'), (response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('half');
  });
  const left = async (): Promise<string> => {
    const files = await readdir(join(cache, 'downloads')).catch(() => []);
    const name = files.find((file) => file.startsWith('kubelet-') && file.endsWith('.partial'));
    return name === undefined ? '' : readFile(join(cache, 'downloads', name), 'utf8');
  };
  const ended = expect(create({ signal: interruption.signal }, cache)).rejects.toBe(reason);
  await vi.waitFor(async () => expect(await left()).toBe('half'), { timeout: 30_000, interval: 20 });
  interruption.abort(reason);
  await ended;
  expect(server.asked.filter((path) => path === at('kubelet'))).toHaveLength(1);
  expect(await left()).toBe('half');
});

it('makes a .tar in a folder that is not there yet, and leaves nothing else', async () => {
  const [cache, into] = [await mkdtemp(join(home, 'cache-')), join(home, 'new/folder/bundle.tar')];
  await create({ into }, cache);
  expect(Object.keys((await openBundle(into, { cache })).catalogue.architectures)).toEqual(['amd64']);
  expect(await readdir(join(home, 'new/folder'))).toEqual(['bundle.tar']);
  expect(await readdir(join(cache, 'bundles'))).toEqual([]);
});

it('asks for nothing where what lies at the place of the bundle is none', async () => {
  const into = await mkdtemp(join(home, 'other-'));
  await writeFile(join(into, 'letter.txt'), 'mine');
  await expect(create({ into })).rejects.toMatchObject({ code: 'usage' });
  expect(server.asked).toEqual([]);
});
