import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import type { Arch } from '../../src/artifacts/arch.js';
import { sha256OfFile } from '../../src/artifacts/digest.js';
import type { SourceFile, SourceImage, Sources } from '../../src/artifacts/upstream/sources.js';
import { sha256 } from '../../src/secret.js';

/** What an image is made of: tars of layers that are packed by gzip, lowest first, and what it runs. */
export interface PublishedImage {
  /** Paths of `.tar.gz` files. */
  readonly layers: readonly string[];
  /** Hex sha256 of the tars that they unpack to. */
  readonly diffIds: readonly string[];
  readonly entrypoint: readonly string[];
}

/**
 * Lays files out below `root` as the projects publish them: a folder for each host, with the names, archives and checksum
 * files of each project. `program` gives a program's path. Registries lie at `HOST/v2/…`, with Docker's media types for
 * registry.k8s.io and OCI's for others.
 */
export const publishUpstream = async (
  root: string,
  { files, images }: Sources,
  arch: Arch,
  content: {
    readonly program: (name: string) => Promise<string>;
    readonly image: (source: SourceImage) => Promise<PublishedImage>;
    /** Clear-signs a text by PGP; absent: what is signed elsewhere has a signature that is none. */
    readonly sign?: (text: string) => Promise<string>;
  },
): Promise<void> => {
  for (const source of files) await publishFile(root, source, content);
  for (const source of images) await publishImage(root, source, arch, await content.image(source));
};

const publishFile = async (
  root: string,
  { url, checksum, holds }: SourceFile,
  {
    program,
    sign = unsigned,
  }: { readonly program: (name: string) => Promise<string>; readonly sign?: (text: string) => Promise<string> },
): Promise<void> => {
  const target = pathOf(root, url);
  await mkdir(dirname(target), { recursive: true });
  const [first] = holds;
  if (first?.member === undefined) {
    await execa('cp', [await program(first?.name ?? ''), target]);
  } else {
    const tree = `${target}.tree`;
    for (const { name, member = '' } of holds) {
      await mkdir(dirname(join(tree, member)), { recursive: true });
      await execa('cp', [await program(name), join(tree, member)]);
    }
    await writeFile(join(tree, 'LICENSE'), 'a file that kbs does not take\n');
    // The CNI plugins' archive has `./` before every name.
    const names = url.includes('cni-plugins') ? ['.'] : (await execa('ls', ['-1', tree])).stdout.split('\n');
    await execa('tar', ['-C', tree, '-czf', target, ...names], { env: { GZIP: '-1' } });
    await execa('rm', ['-r', tree]);
  }
  await publishChecksum(root, checksum, target, sign);
};

/** dl.k8s.io publishes a bare digest; runc's is signed by PGP; the others are lines of sha256sum. */
const publishChecksum = async (
  root: string,
  checksum: string,
  target: string,
  sign: (text: string) => Promise<string>,
): Promise<void> => {
  const digest = await sha256OfFile(target);
  const name = target.slice(target.lastIndexOf('/') + 1);
  const at = pathOf(root, checksum);
  const line = `${digest}  ${name}\n`;
  if (checksum.includes('dl.k8s.io')) return writeFile(at, digest);
  if (!checksum.includes('runc')) {
    return writeFile(at, checksum.endsWith('SHA256SUMS') ? `${'0'.repeat(64)}  other.tar.gz\n${line}` : line);
  }
  return writeFile(at, await sign(`${'1'.repeat(64)}  libseccomp.tar.gz\n${digest}  ${name}\n`));
};

const unsigned = async (text: string): Promise<string> =>
  [
    '-----BEGIN PGP SIGNED MESSAGE-----',
    'Hash: SHA256',
    '',
    text.trimEnd(),
    '-----BEGIN PGP SIGNATURE-----',
    '',
    'iQEzBAEBCAAdFiEE',
    '-----END PGP SIGNATURE-----',
    '',
  ].join('\n');

/** A key of PGP for one test, and what is signed by it. */
export const makeSigner = async (): Promise<{
  /** Armored. */
  readonly key: string;
  readonly sign: (text: string) => Promise<string>;
}> => {
  const openpgp = await import('openpgp');
  const { privateKey, publicKey } = await openpgp.generateKey({
    userIDs: [{ name: 'Tests', email: 'tests@example.com' }],
    format: 'object',
  });
  const sign = async (text: string): Promise<string> =>
    openpgp.sign({ message: await openpgp.createCleartextMessage({ text }), signingKeys: privateKey });
  return { key: publicKey.armor(), sign };
};

const publishImage = async (
  root: string,
  { published }: SourceImage,
  arch: Arch,
  { layers, diffIds, entrypoint }: PublishedImage,
): Promise<void> => {
  const [host = '', ...path] = published.slice(0, published.lastIndexOf(':')).split('/');
  const docker = host === 'registry.k8s.io';
  const folder = join(root, host, 'v2', ...path);
  const tag = published.slice(published.lastIndexOf(':') + 1);
  for (const each of ['manifests', 'blobs']) await mkdir(join(folder, each), { recursive: true });
  const put = async (kind: string, document: unknown) => {
    const text = JSON.stringify(document);
    await writeFile(join(folder, kind, `sha256:${sha256(text)}`), text);
    return { digest: `sha256:${sha256(text)}`, size: Buffer.byteLength(text), text };
  };
  const type = (oci: string, dockers: string) =>
    docker ? `application/vnd.docker.${dockers}` : `application/vnd.oci.image.${oci}`;
  const config = await put('blobs', {
    architecture: arch,
    os: 'linux',
    config: { Entrypoint: entrypoint, Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] },
    rootfs: { type: 'layers', diff_ids: diffIds.map((each) => `sha256:${each}`) },
  });
  const described = [];
  for (const layer of layers) {
    const digest = `sha256:${await sha256OfFile(layer)}`;
    await execa('cp', [layer, join(folder, 'blobs', digest)]);
    described.push({
      mediaType: type('layer.v1.tar+gzip', 'image.rootfs.diff.tar.gzip'),
      digest,
      size: (await stat(layer)).size,
    });
  }
  const manifest = await put('manifests', {
    schemaVersion: 2,
    mediaType: type('manifest.v1+json', 'distribution.manifest.v2+json'),
    config: {
      mediaType: type('config.v1+json', 'container.image.v1+json'),
      digest: config.digest,
      size: config.size,
    },
    layers: described,
  });
  const index = await put('manifests', {
    schemaVersion: 2,
    mediaType: type('index.v1+json', 'distribution.manifest.list.v2+json'),
    manifests: [
      {
        mediaType: type('manifest.v1+json', 'distribution.manifest.v2+json'),
        digest: `sha256:${'5'.repeat(64)}`,
        size: 1,
        platform: { architecture: 's390x', os: 'linux' },
      },
      {
        mediaType: type('manifest.v1+json', 'distribution.manifest.v2+json'),
        digest: manifest.digest,
        size: manifest.size,
        platform: { architecture: arch, os: 'linux' },
      },
    ],
  });
  await writeFile(join(folder, 'manifests', tag), index.text);
};

/** A layer of one small file, for images that are never run. */
export const smallLayer = async (path: string, text: string): Promise<PublishedImage> => {
  // No tar: nothing unpacks it here.
  await writeFile(path, gzipSync(text));
  return { layers: [path], diffIds: [createHash('sha256').update(text).digest('hex')], entrypoint: ['/program'] };
};

const pathOf = (root: string, url: string): string => join(root, url.slice('https://'.length));

/** Serves a file below `root` as web servers do, ranges included. */
export const serveFile = async (
  root: string,
  path: string,
  range: string | undefined,
  response: ServerResponse,
): Promise<void> => {
  const file = join(root, decodeURIComponent(path));
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) return void response.writeHead(404).end();
  const type = path.includes('/manifests/') ? { 'content-type': await mediaTypeOf(file) } : {};
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  if (start >= found.size && start > 0) return void response.writeHead(416).end();
  response.writeHead(start > 0 ? 206 : 200, {
    ...type,
    'content-length': found.size - start,
    ...(start > 0 ? { 'content-range': `bytes ${start}-${found.size - 1}/${found.size}` } : {}),
  });
  createReadStream(file, { start }).pipe(response);
};

const mediaTypeOf = async (file: string): Promise<string> => {
  const { mediaType } = JSON.parse(await readFile(file, 'utf8')) as { mediaType: string };
  return mediaType;
};
