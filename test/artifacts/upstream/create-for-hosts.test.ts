import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Artifacts, BinaryName, PublishedFile, PublishedImage } from '../../../src/artifacts/artifacts.js';
import { hostsBundle, openBundle } from '../../../src/artifacts/bundle.js';
import { withPublished } from '../../../src/artifacts/bundle-for-hosts.js';
import { known, knownVersions } from '../../../src/artifacts/catalogue.js';
import { sha256OfFile } from '../../../src/artifacts/digest.js';
import { placeholderArtifacts } from '../../../src/artifacts/placeholder.js';
import { createForHosts } from '../../../src/artifacts/upstream/create-for-hosts.js';
import { ownProgramPath } from '../../../src/artifacts/upstream/own-program.js';
import { sourcesOf } from '../../../src/artifacts/upstream/sources.js';
import { failuresIn } from '../../../src/failure.js';
import { type ChartServer, serveCharts } from '../../support/chart-server.js';
import { makeSigner, publishUpstream, serveFile, smallLayer } from '../../support/upstream.js';

const version = knownVersions()[0] ?? '';
const release = known(version);
const sources = sourcesOf(release, 'amd64');
const registries = [...new Set(sources.images.map(({ published }) => published.split('/')[0] ?? ''))];

let home: string;
let root: string;
let server: ChartServer;
let signer: Awaited<ReturnType<typeof makeSigner>>;
let mirrors: Readonly<Record<string, string>>;
let leftOut: string[];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'kbs-for-hosts-'));
  root = join(home, 'mirror');
  signer = await makeSigner();
  await publishUpstream(root, sources, 'amd64', {
    sign: signer.sign,
    program: async (name) => {
      await writeFile(join(home, name), `the program ${name}\n`);
      return join(home, name);
    },
    image: ({ name }) => smallLayer(join(home, `${name}.layer`), name),
  });
  const probe = release.programs.find(({ name }) => name === 'probe');
  if (probe === undefined) throw new Error('the release has no probe');
  await mkdir(join(home, 'own/amd64'), { recursive: true });
  await writeFile(join(home, 'own', ownProgramPath(probe, 'amd64')), 'the probe');
  server = await serveCharts();
  const hosts = [...sources.files.map(({ url }) => new URL(url).host), ...registries];
  mirrors = Object.fromEntries(hosts.map((host) => [host, `https://${server.host}/${host}`]));
  serve();
});
beforeEach(() => {
  server.asked.length = 0;
  serve();
});
const serve = () => {
  server.otherwise = ({ url = '', headers }, response) =>
    void serveFile(root, url.replace(/^\/v2\/([^/]+)\//, '/$1/v2/'), headers.range, response);
};
afterAll(async () => {
  await server.close();
  await rm(home, { recursive: true, force: true });
});

const create = async (pins: Readonly<Record<string, string>> = {}) => {
  const cache = await mkdtemp(join(home, 'cache-'));
  const options = {
    version,
    architectures: ['amd64' as const],
    cache,
    ownPrograms: join(home, 'own'),
    mirrors,
    pins,
    keys: { runc: signer.key },
  };
  leftOut = [];
  await createForHosts({ ...options, onLeftOut: (arch, why) => leftOut.push(`${arch}: ${why}`) });
  const way = { proxy: { url: 'http://proxy.lan:3128', exclude: ['10.0.0.0/8'] } };
  return withPublished(await openBundle(hostsBundle(version, cache), { cache }), { way, mirrors });
};

const fileOf = (artifacts: Artifacts, name: BinaryName): PublishedFile => {
  const found = artifacts.of('amd64').binary(name);
  if ('download' in found) return found;
  throw new Error(`${name} is sent`);
};

describe('what hosts download themselves', () => {
  let artifacts: Artifacts;
  let asked: readonly string[];
  beforeAll(async () => {
    artifacts = await create();
    asked = [...server.asked];
  });

  it.each(sources.files.flatMap(({ url, holds }) => holds.map((held) => ({ ...held, url }))))(
    '$name is named by its mirror, and by the digest that is published',
    async ({ name, url, member }) => {
      const { download, sha256 } = fileOf(artifacts, name);
      const address = new URL(url);
      expect(download.url).toBe(`https://${server.host}/${address.host}${address.pathname}`);
      expect(download.sha256).toBe(await sha256OfFile(join(root, address.host, address.pathname)));
      expect(download.member).toBe(member);
      expect(sha256 === download.sha256).toBe(member === undefined);
      expect(download.way.proxy?.url).toBe('http://proxy.lan:3128');
    },
  );

  it.each(sources.images)('$published is pulled by the digest of its manifest', ({ name, published, reference }) => {
    const found = artifacts.of('amd64').image(name) as PublishedImage;
    const repository = published.slice(0, published.lastIndexOf(':'));
    expect(found.pull).toBe(`${server.host}/${repository}@${found.images[0].digest}`);
    expect(found.images[0].reference).toBe(reference);
    expect(asked).toContain(`/v2/${repository}/manifests/${found.images[0].digest}`);
  });

  it('are asked for by checksums and manifests alone', () => {
    const small = /[.]sha256(sum)?$|SHA256SUMS$|\/manifests\//;
    expect(asked.filter((path) => !small.test(path))).toEqual([]);
    expect(asked.length).toBeGreaterThan(sources.files.length);
  });

  it('leave the probe to kbs, which no project publishes', () => {
    expect(artifacts.of('amd64').image('probe')).toHaveProperty('archive');
  });

  it('are by name for an architecture that is not published', () => {
    expect(leftOut).toEqual([`arm64: the digest of kubelet ${version} for arm64 could not be downloaded`]);
    const { binary, image } = artifacts.of('arm64');
    expect(binary('kubelet').name).toBe('kubelet arm64 (not built)');
    expect(image('kube-proxy').images[0]?.reference).toBe(`kbs.local/kube-proxy:v${version}`);
  });

  it('are at the same places before their digests are known', () => {
    const before = placeholderArtifacts(version, { upstream: true, access: { way: {}, mirrors } });
    for (const { name } of sources.files.flatMap(({ holds }) => holds)) {
      const { url, member } = fileOf(before, name).download;
      expect({ url, member }).toEqual({
        url: fileOf(artifacts, name).download.url,
        member: fileOf(artifacts, name).download.member,
      });
    }
  });
});

it('a digest that is pinned is not asked for', async () => {
  const kubelet = sources.files.find(({ name }) => name === 'kubelet')?.url ?? '';
  const artifacts = await create({ [kubelet]: 'b'.repeat(64) });
  expect(fileOf(artifacts, 'kubelet').download).toMatchObject({ sha256: 'b'.repeat(64), saidBy: 'what is pinned' });
  expect(server.asked.filter((path) => path.includes('/amd64/kubelet'))).toEqual([]);
});

it('what has no digest is named, all at once', async () => {
  server.otherwise = (_request, response) => void response.writeHead(404).end();
  const said = await create().then(
    () => [],
    (error: unknown) => failuresIn(error).map(({ message }) => message),
  );
  expect(said).toHaveLength(sources.files.length + sources.images.length);
  expect(said[0]).toBe(`the digest of kubelet ${version} for amd64 could not be downloaded`);
});
