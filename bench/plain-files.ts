import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { archOfThisMachine } from '../src/artifacts/arch.js';
import type { BinaryName, ImageName, StoredArtifacts } from '../src/artifacts/artifacts.js';
import { buildProgram } from '../src/artifacts/build/go-modules.js';
import type { Bundle } from '../src/artifacts/bundle.js';
import { cacheFolder } from '../src/artifacts/cache.js';
import { releaseOf } from '../src/artifacts/catalogue.js';
import { sha256OfFile } from '../src/artifacts/digest.js';
import { describeImage, layoutOf } from '../src/artifacts/image.js';
import type { Layer } from '../src/artifacts/layer.js';
import type { Release } from '../src/artifacts/release.js';
import { tarOf } from '../src/artifacts/tar.js';

/**
 * What an administrator without kbs has, in `folder`: the bundle's programs unpacked, and one uncompressed archive per
 * image. `node/` is for every node, `control-plane/` for control planes besides; both are laid out as on a host.
 */
export const plainFiles = async (bundle: Bundle, folder: string): Promise<void> => {
  for (const { part, programs, images } of parts) {
    const within = (path: string): string => {
      const target = join(folder, part, path);
      mkdirSync(dirname(target), { recursive: true });
      return target;
    };
    for (const name of programs) plainProgram(bundle, name, within(programPath(name)));
    for (const name of images) await plainArchive(bundle, name, within(`opt/images/${name}.tar`));
  }
};

const parts: readonly Part[] = [
  {
    part: 'node',
    programs: [
      ...(['containerd', 'containerd-shim-runc-v2', 'ctr', 'runc', 'kubelet', 'kubeadm'] as const),
      ...(['cni-bridge', 'cni-host-local', 'cni-loopback', 'cni-portmap'] as const),
    ],
    images: ['pause', 'kube-proxy', 'coredns'],
  },
  {
    part: 'control-plane',
    programs: ['kubectl'],
    images: ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'],
  },
];

interface Part {
  readonly part: string;
  readonly programs: readonly BinaryName[];
  readonly images: readonly ImageName[];
}

const artifactsIn = (bundle: Bundle): StoredArtifacts => bundle.of(archOfThisMachine());

const programPath = (name: BinaryName): string =>
  name.startsWith('cni-') ? `opt/cni/bin/${name.slice('cni-'.length)}` : `usr/local/bin/${name}`;

const plainProgram = (bundle: Bundle, name: BinaryName, target: string): void => {
  const { file, packing } = artifactsIn(bundle).binary(name);
  if (packing === 'zstd') unzstd(bundle, file, target);
  else execFileSync('cp', [file, target]);
  chmodSync(target, 0o755);
};

const unzstd = (bundle: Bundle, from: string, to: string): void => {
  const [input, output] = [openSync(from, 'r'), openSync(to, 'w')];
  try {
    execFileSync(artifactsIn(bundle).binary('unzstd').file, { stdio: [input, output, 'inherit'] });
  } finally {
    closeSync(input);
    closeSync(output);
  }
};

/** The image as upstream would give it: nothing compressed, and no layer shared with another image. */
const plainArchive = async (bundle: Bundle, name: ImageName, target: string): Promise<void> => {
  const release = releaseOf(bundle.catalogue.kubernetes);
  if (!release) throw new Error(`the catalogue does not know Kubernetes ${bundle.catalogue.kubernetes}`);
  const folder = mkdtempSync(join(tmpdir(), 'kbs-plain-'));
  try {
    const shared = artifactsIn(bundle).image(name).images.length > 1;
    const layers = shared
      ? [await ownLayer(release, name, folder)]
      : await Promise.all(blobsOf(bundle, name, folder).map((blob) => unpackedLayer(bundle, blob)));
    const image = describeImage(release.images[name], layers, archOfThisMachine());
    await pipeline(layoutOf([image], archOfThisMachine()), createWriteStream(target));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/**
 * The bundle's control plane is one program under three names. Upstream's are three programs in three images, so here
 * each is built alone from the same sources.
 */
const ownLayer = async (release: Release, name: ImageName, folder: string): Promise<Layer> => {
  const shared = release.programs.find((program) => program.name === 'control-plane');
  if (shared?.language !== 'go') throw new Error('the release builds no control plane');
  const { file } = await buildProgram(
    { ...shared, name, package: `k8s.io/kubernetes/cmd/${name}` },
    { cache: join(cacheFolder(), 'build'), arch: archOfThisMachine() },
  );
  const layer = join(folder, 'layer');
  await pipeline(
    tarOf([{ type: 'file', path: `/usr/local/bin/${name}`, mode: 0o755, file }]),
    createWriteStream(layer),
  );
  return describe(layer);
};

/** The layers of an image that is alone in its archive, as files, lowest first. */
const blobsOf = (bundle: Bundle, name: ImageName, folder: string): readonly string[] => {
  execFileSync('tar', ['-xf', artifactsIn(bundle).image(name).archive.file, '-C', folder]);
  const [manifest] = document<Index>(join(folder, 'index.json')).manifests;
  const blob = ({ digest }: Descriptor): string => join(folder, 'blobs', digest.replace(':', '/'));
  if (!manifest) throw new Error(`the archive of ${name} is empty`);
  return document<Manifest>(blob(manifest)).layers.map(blob);
};

const unpackedLayer = async (bundle: Bundle, blob: string): Promise<Layer> => {
  unzstd(bundle, blob, `${blob}.tar`);
  return describe(`${blob}.tar`);
};

const describe = async (file: string): Promise<Layer> => {
  const sha256 = await sha256OfFile(file);
  const mediaType = 'application/vnd.oci.image.layer.v1.tar';
  return { file, mediaType, size: statSync(file).size, sha256, diffId: sha256 };
};

/** Trusted: kbs wrote it, and the bundle's digests were checked. */
const document = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T;

interface Descriptor {
  readonly digest: string;
}

interface Index {
  readonly manifests: readonly Descriptor[];
}

interface Manifest {
  readonly layers: readonly Descriptor[];
}
