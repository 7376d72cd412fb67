import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { archOfThisMachine } from '../src/artifacts/arch.js';
import type { ImageName } from '../src/artifacts/artifacts.js';
import { buildProgram } from '../src/artifacts/build/go-modules.js';
import { defaultBundle, openBundle } from '../src/artifacts/bundle.js';
import { cacheFolder } from '../src/artifacts/cache.js';
import { knownVersions, releaseOf } from '../src/artifacts/catalogue.js';
import { sha256OfFile, through } from '../src/artifacts/digest.js';
import { describeImage, layoutOf } from '../src/artifacts/image.js';
import type { Layer } from '../src/artifacts/layer.js';
import type { GoProgram, ImageRecipe } from '../src/artifacts/release.js';
import { type Entry, tarOf } from '../src/artifacts/tar.js';
import { type Containerd, startContainerd, unpackRuntime } from '../test/artifacts/containerd.js';

/**
 * How fast do the images of a control plane get into containerd? The bundle's archives, imported at once as kbs does
 * on a host, against one plain archive per image, each with a program of its own in an uncompressed layer, imported
 * one after the other with `ctr images import`. A fresh containerd each time; they take turns, so that
 * whatever else the machine does meets both. Needs a bundle: `kbs bundle build`.
 *
 *     npm run bench:images [ROUNDS]
 */
const rounds = Number(process.argv[2] ?? 3);
const version = knownVersions()[0] ?? '';
const release = releaseOf(version);
if (!release) throw new Error('the catalogue is empty');
const artifacts = (await openBundle(defaultBundle(version))).of(archOfThisMachine());
const names: readonly ImageName[] = [
  ...(['pause', 'etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const),
  ...(['kube-proxy', 'coredns'] as const),
];
const context = { cache: join(cacheFolder(), 'build'), arch: archOfThisMachine() };

/** The image's program as upstream builds it, alone in an uncompressed layer. */
const plainArchive = async (name: ImageName, folder: string): Promise<string> => {
  const own = release.programs.find((each) => each.name === name);
  const shared = release.programs.find((each): each is GoProgram => each.name === 'control-plane');
  if (!shared) throw new Error('the release has no control plane');
  const program = own ?? { ...shared, name, package: `k8s.io/kubernetes/cmd/${name}` };
  const { file } = await buildProgram(program, context);
  const entry: Entry = { type: 'file', path: `/usr/local/bin/${name}`, mode: 0o755, file };
  const layer = join(folder, `${name}.layer`);
  const hash = createHash('sha256');
  await pipeline(through(tarOf([entry]), hash), createWriteStream(layer));
  const sha256 = hash.digest('hex');
  const blob: Layer = {
    file: layer,
    mediaType: 'application/vnd.oci.image.layer.v1.tar',
    size: (await stat(layer)).size,
    sha256,
    diffId: sha256,
  };
  const recipe: ImageRecipe = release.images[name];
  const archive = join(folder, `${name}.tar`);
  await pipeline(layoutOf([describeImage(recipe, [blob], context.arch)], context.arch), createWriteStream(archive));
  return archive;
};

const folder = await mkdtemp(join(tmpdir(), 'kbs-bench-'));
const runtime = await unpackRuntime(artifacts);
try {
  const plain: string[] = [];
  for (const name of names) plain.push(await plainArchive(name, folder));
  const packed = [...new Set(names.map((name) => artifacts.image(name).archive.file))];
  for (const file of [...plain, ...packed]) await sha256OfFile(file); // all of them are in the page cache from here on

  const ways = {
    kbs: (containerd: Containerd) =>
      Promise.all(packed.map((file) => containerd.ctr('images', 'import', '--local', file))),
    'kbs, one by one': async (containerd: Containerd) => {
      for (const file of packed) await containerd.ctr('images', 'import', '--local', file);
    },
    'plain, one by one': async (containerd: Containerd) => {
      for (const file of plain) await containerd.ctr('images', 'import', file);
    },
    'plain, at once': (containerd: Containerd) =>
      Promise.all(plain.map((file) => containerd.ctr('images', 'import', file))),
  };
  const times = new Map<string, number[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, way] of Object.entries(ways)) {
      const containerd = await startContainerd(runtime);
      const began = performance.now();
      await way(containerd);
      times.set(name, [...(times.get(name) ?? []), (performance.now() - began) / 1000]);
      await containerd.stop();
    }
  }
  const best = (name: string) => Math.min(...(times.get(name) ?? []));
  for (const [name, each] of times) {
    const all = each.map((seconds) => seconds.toFixed(2)).join(' ');
    console.log(
      `${name.padEnd(18)} ${best(name).toFixed(2)} s (${all})  kbs is ${(best(name) / best('kbs')).toFixed(1)} times as fast`,
    );
  }
  const bytes = async (files: readonly string[]) =>
    (await Promise.all(files.map(async (file) => (await stat(file)).size))).reduce((sum, size) => sum + size, 0);
  console.log(
    `to send: ${((await bytes(packed)) / 1e6).toFixed(0)} MB instead of ${((await bytes(plain)) / 1e6).toFixed(0)} MB`,
  );
} finally {
  await rm(folder, { recursive: true, force: true });
  await rm(runtime, { recursive: true, force: true });
}
