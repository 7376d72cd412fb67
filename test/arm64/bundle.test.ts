import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archOfThisMachine } from '../../src/artifacts/arch.js';
import type { BinaryName, ImageName, StoredArtifacts } from '../../src/artifacts/artifacts.js';
import { buildBundle } from '../../src/artifacts/build/build.js';
import { buildProgram } from '../../src/artifacts/build/go-modules.js';
import { type Bundle, openBundle } from '../../src/artifacts/bundle.js';
import { cacheFolder } from '../../src/artifacts/cache.js';
import { knownVersions, releaseOf } from '../../src/artifacts/catalogue.js';
import { contentsOf } from '../../src/artifacts/release.js';
import { aarch64, emulator, lacksArm64, machineOf } from '../support/emulator.js';

const version = knownVersions()[0] ?? '';
const release = releaseOf(version);
// What only add-ons need is as much to build again, and portable Go.
const held = release && contentsOf(release, { addons: false });

// Ten minutes of two cores from nothing.
describe.skipIf(lacksArm64())('a bundle for arm64', () => {
  let home: string;
  let bundle: Bundle;
  let arm64: StoredArtifacts;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'kbs-arm64-'));
    const { folder } = await buildBundle({ version, architectures: ['arm64'], into: join(home, 'bundle') });
    bundle = await openBundle(folder);
    arm64 = bundle.of('arm64');
  }, 1_800_000);
  afterAll(() => rm(home, { recursive: true }));

  const unpacked = async (name: BinaryName): Promise<string> => {
    const { file, packing } = arm64.binary(name);
    if (packing === 'none') return file;
    const program = await unpack(file, join(home, name));
    // The emulator runs only what may be executed.
    await chmod(program, 0o755);
    return program;
  };

  it('is for arm64 alone', () => {
    expect(bundle.architectures).toEqual(['arm64']);
  });

  it.each(held?.binaries ?? [])('has a %s for arm64', async (built) => {
    const name = built === 'control-plane' ? 'kube-apiserver' : built;
    expect(await machineOf(await unpacked(name))).toBe(aarch64);
  });

  it.each<[BinaryName, readonly string[], string]>([
    ['kubelet', ['--version'], `v${version}`],
    ['kubectl', ['version', '--client'], `v${version}`],
    ['kubeadm', ['version', '-o', 'short'], `v${version}`],
    ['kube-proxy', ['--version'], `v${version}`],
    ['containerd', ['--version'], '2.4.2'],
    ['containerd-shim-runc-v2', ['-v'], '2.4.2'],
    ['ctr', ['--version'], '2.4.2'],
    ['runc', ['--version'], '1.5.2'],
    ['etcd', ['--version'], '3.7.3'],
    ['etcdctl', ['version'], '3.7.3'],
    ['etcdutl', ['version'], '3.7.3'],
    ['coredns', ['-version'], '1.15.0'],
  ])('%s says its version', async (name, words, said) => {
    const { stdout, stderr } = await execa(emulator, [await unpacked(name), ...words]);
    expect(stdout + stderr).toContain(said);
  });

  it.each(['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'])('%s is one of the names', async (name) => {
    const { stdout } = await execa(emulator, ['-0', name, await unpacked('kube-apiserver'), '--version']);
    expect(stdout).toContain(`v${version}`);
  });

  it('has an apt repository of packages for arm64', async () => {
    const { stdout } = await execa('tar', ['-xOf', arm64.repository('debian-12')?.file ?? '', 'Packages']);
    const architectures = new Set([...stdout.matchAll(/^Architecture: (.*)$/gm)].map(([, name]) => name));
    expect([...architectures].sort()).toEqual(['all', 'arm64']);
    expect(stdout).toMatch(/^Package: haproxy$/m);
    expect(stdout).toMatch(/^Package: keepalived$/m);
  });

  it.each(held?.archives.flatMap(({ images }) => images) ?? [])('has the image %s for arm64', async (name) => {
    const { configs } = await imageOf(name);
    expect(configs.map(({ architecture }) => architecture)).toEqual(configs.map(() => 'arm64'));
  });

  // The tools themselves end without netfilter's sockets, which the emulator does not have.
  it.each(['nft', 'iptables', 'conntrack', 'ipset'])('kube-proxy’s image has every library of %s', async (tool) => {
    const { root } = await imageOf('kube-proxy');
    const loader = join(root, 'lib/ld-linux-aarch64.so.1');
    const { stdout } = await execa(emulator, ['-L', root, loader, '--list', join(root, 'usr/sbin', tool)]);
    expect(stdout).toContain('libmnl.so.0 => /usr/lib/aarch64-linux-gnu/');
  });

  const made = new Map<ImageName, Promise<UnpackedImage>>();
  const imageOf = (name: ImageName): Promise<UnpackedImage> => {
    const image = made.get(name) ?? unpackImage(name);
    made.set(name, image);
    return image;
  };

  /** The images of the archive that brings this one, and the files of its first. */
  const unpackImage = async (name: ImageName): Promise<UnpackedImage> => {
    const folder = join(home, `image-${name}`);
    const root = join(folder, 'root');
    await mkdir(root, { recursive: true });
    await execa('tar', ['-x', '-C', folder, '-f', arm64.image(name).archive.file]);
    const document = async (path: string) => JSON.parse(await readFile(join(folder, path), 'utf8'));
    const blob = ({ digest }: Descriptor) => join('blobs', digest.replace(':', '/'));
    const { manifests }: { manifests: readonly Descriptor[] } = await document('index.json');
    const opened: Manifest[] = await Promise.all(manifests.map((manifest) => document(blob(manifest))));
    for (const layer of opened[0]?.layers ?? []) {
      const tar = await unpack(join(folder, blob(layer)), join(folder, 'layer.tar'));
      await execa('tar', ['-x', '-C', root, '-f', tar]);
    }
    return { root, configs: await Promise.all(opened.map(({ config }) => document(blob(config)))) };
  };

  const unpack = async (from: string, to: string): Promise<string> => {
    const program = release?.programs.find(({ name }) => name === 'unzstd');
    if (!program) throw new Error('the release has no unzstd');
    const here = { cache: join(cacheFolder(), 'build'), arch: archOfThisMachine() };
    const { file } = await buildProgram(program, here);
    await execa(file, { stdin: { file: from }, stdout: { file: to }, buffer: false });
    return to;
  };
});

interface Descriptor {
  readonly digest: string;
}

interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

interface UnpackedImage {
  readonly root: string;
  readonly configs: readonly { readonly architecture: string }[];
}
