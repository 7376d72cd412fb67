import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archOfThisMachine } from '../../src/artifacts/arch.js';
import { type HostArtifacts, type ImageName, referenceOf } from '../../src/artifacts/artifacts.js';
import { type Bundle, defaultBundle, openBundle } from '../../src/artifacts/bundle.js';
import { knownVersions, releaseOf } from '../../src/artifacts/catalogue.js';
import { type Containerd, startContainerd, unpackRuntime } from '../artifacts/containerd.js';

const version = knownVersions()[0] ?? '';
const bundle = await openBundle(defaultBundle(version)).catch(() => undefined);
// The catalogue's keys are image names.
const images = Object.keys(releaseOf(version)?.images ?? {}) as readonly ImageName[];

/** What a program in an image says of itself, and the words that make it say so. */
const sayings: readonly (readonly [ImageName, readonly string[], string])[] = [
  ['etcd', ['etcd', '--version'], '3.7.3'],
  ['etcd', ['etcdctl', 'version'], '3.7.3'],
  ['kube-apiserver', ['kube-apiserver', '--version'], `v${version}`],
  ['kube-controller-manager', ['kube-controller-manager', '--version'], `v${version}`],
  ['kube-scheduler', ['kube-scheduler', '--version'], `v${version}`],
  ['kube-proxy', ['kube-proxy', '--version'], `v${version}`],
  ['kube-proxy', ['nft', '--version'], 'nftables v1'],
  ['kube-proxy', ['iptables', '--version'], '(nf_tables)'],
  ['kube-proxy', ['conntrack', '--version'], 'conntrack v1'],
  ['kube-proxy', ['ipset', '--version'], 'ipset v7'],
  ['coredns', ['coredns', '-version'], 'CoreDNS-1.15.0'],
  ['busybox', ['/bin/sh', '-c', 'mkdir -m 0777 -p /tmp/volume && ls /tmp'], 'volume'],
  ['local-path-provisioner', ['local-path-provisioner', '--version'], 'v0.0.30'],
  ['metrics-server', ['metrics-server', '--version'], 'v0.9.0'],
];

describe.runIf(bundle)('the images of a bundle, in a real containerd', () => {
  let runtime: string;
  let containerd: Containerd;

  beforeAll(async () => {
    runtime = await unpackRuntime(artifacts());
    containerd = await startContainerd(runtime);
    const archives = new Set(images.map((name) => artifacts().image(name).archive.file));
    await Promise.all([...archives].map((file) => containerd.ctr('images', 'import', '--local', file)));
  });
  afterAll(async () => {
    await containerd.stop();
    await rm(runtime, { recursive: true, force: true });
  });

  it('each has the reference and the digest that the catalogue promises', async () => {
    const listed = await containerd.ctr('images', 'ls');
    const found = new Map(listed.split('\n').map((line) => [line.split(/\s+/)[0], line.split(/\s+/)[2]]));
    for (const name of images) {
      for (const { reference, digest } of artifacts().image(name).images) expect(found.get(reference)).toBe(digest);
    }
  });

  it('each is complete and unpacked, so that it outlives a restart of containerd', async () => {
    const checked = await containerd.ctr('images', 'check');
    for (const name of images) {
      const line = checked.split('\n').find((each) => each.startsWith(referenceOf(theBundle(), name)));
      expect(line).toMatch(/complete .* true/);
    }
  });

  it.each(sayings)('%s: `%j` says %s', async (name, words, said) => {
    const { stdout, stderr } = await execa('chroot', [await treeOf(name), ...words], {
      env: { PATH: '/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    });
    expect(stdout + stderr).toContain(said);
  });

  it('kube-proxy’s nft lists protocols by name, for it finds /etc/protocols', async () => {
    const rules = 'table ip t {\n set s { type inet_proto; elements = { tcp, udp }; }\n}\nlist ruleset\n';
    const root = await treeOf('kube-proxy');
    await writeFile(join(root, 'rules'), rules);
    const { stdout } = await execa('unshare', ['--net', 'chroot', root, '/usr/sbin/nft', '--json', '--file', '/rules']);
    expect(stdout).toContain('"elem": ["tcp", "udp"]');
  });

  /** The files of an image, out of containerd's content store. */
  const treeOf = async (name: ImageName): Promise<string> => {
    const root = join(runtime, `root-${name}`);
    if (existsSync(root)) return root;
    await mkdir(root);
    const wanted = referenceOf(theBundle(), name);
    const image = artifacts()
      .image(name)
      .images.find(({ reference }) => reference === wanted);
    const manifest: Manifest = JSON.parse(await containerd.ctr('content', 'get', image?.digest ?? ''));
    for (const { digest } of manifest.layers) {
      const blob = join(runtime, 'blob');
      await execa(join(runtime, 'ctr'), ['-a', containerd.socket, '-n', 'k8s.io', 'content', 'get', digest], {
        stdout: { file: blob },
        buffer: false,
      });
      await execa(join(runtime, 'unzstd'), { stdin: { file: blob }, stdout: { file: `${blob}.tar` }, buffer: false });
      await execa('tar', ['-x', '-C', root, '-f', `${blob}.tar`]);
    }
    return root;
  };
});

interface Manifest {
  readonly layers: readonly { readonly digest: string }[];
}

const theBundle = (): Bundle => {
  if (!bundle) throw new Error('no bundle');
  return bundle;
};

const artifacts = (): HostArtifacts => theBundle().of(archOfThisMachine());
