import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archOfThisMachine } from '../../src/artifacts/arch.js';
import { type ImageName, referenceOf, type StoredArtifacts } from '../../src/artifacts/artifacts.js';
import { type Bundle, defaultBundle, openBundle } from '../../src/artifacts/bundle.js';
import { known, knownVersions, releaseOf } from '../../src/artifacts/catalogue.js';
import { sha256OfFile } from '../../src/artifacts/digest.js';
import { publishedArtifacts } from '../../src/artifacts/published.js';
import { sourcesOf } from '../../src/artifacts/upstream/sources.js';
import type { Host, Output } from '../../src/hosts/host.js';
import { messageOf } from '../../src/hosts/message.js';
import type { Script } from '../../src/hosts/shell.js';
import { nodes, type RegistryRule } from '../../src/inventory/cluster.js';
import { registryFiles } from '../../src/phases/node/registries.js';
import type { ImageResource } from '../../src/resources/resource.js';
import { reveal, Secret } from '../../src/secret.js';
import { verifyPulls } from '../../src/verify/pulls.js';
import { type Containerd, startContainerd, unpackRuntime } from '../artifacts/containerd.js';
import { createWorld, type World } from '../resources/overlay-host.js';
import { allDifferences, apply } from '../resources/reconcile.js';
import { type Handler, serveCharts } from '../support/chart-server.js';
import { clusterOf } from '../support/cluster.js';
import { selfSigned, serveFaultily } from '../support/faulty-mirror.js';
import { publishUpstream } from '../support/upstream.js';

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

  it.each([
    ['Basic', undefined],
    ['Bearer', 'a token'],
  ] as const)('are pulled as well, from a mirror that wants a password, by the scheme %s', async (scheme, token) => {
    const registry = await serveCharts();
    const folder = join(runtime, `registries-${scheme}`);
    const login = `Basic ${Buffer.from('puller:secret').toString('base64')}`;
    const wanted = token === undefined ? login : `Bearer ${token}`;
    const challenge =
      token === undefined ? 'Basic realm="tests"' : `Bearer realm="https://${registry.host}/token",service="tests"`;
    /** Answers requests with the right credentials alone. */
    const guarded =
      (answer: Handler, credentials: string): Handler =>
      (response, authorization) => {
        if (authorization === credentials) answer(response, authorization);
        else response.writeHead(401, { 'www-authenticate': challenge }).end();
      };
    registry.paths.set(
      '/token',
      guarded(
        (response) => response.setHeader('content-type', 'application/json').end(JSON.stringify({ token })),
        login,
      ),
    );
    const pull = (rules: readonly RegistryRule[], ...flags: readonly string[]) =>
      withRegistries(folder, rules, (hosts) =>
        containerd.ctr('images', 'pull', ...flags, '--hosts-dir', hosts, 'registry.lan/tools/probe:1.0'),
      );
    try {
      const image = artifacts().image('probe');
      const [one] = image.images;
      const blobs = join(folder, 'blobs');
      await mkdir(blobs, { recursive: true });
      await execa('tar', ['-x', '-C', blobs, '--strip-components=2', '-f', image.archive.file, 'blobs/sha256']);
      for (const name of await readdir(blobs)) {
        const isManifest = `sha256:${name}` === one?.digest;
        const type = isManifest ? 'application/vnd.oci.image.manifest.v1+json' : 'application/octet-stream';
        const blob = await readFile(join(blobs, name));
        const answer: Handler = (response) =>
          response.setHeader('content-type', type).setHeader('docker-content-digest', `sha256:${name}`).end(blob);
        const references = [
          `manifests/sha256:${name}`,
          `blobs/sha256:${name}`,
          ...(isManifest ? ['manifests/1.0'] : []),
        ];
        for (const path of references) registry.paths.set(`/v2/tools/probe/${path}`, guarded(answer, wanted));
      }
      const open = {
        name: 'registry.lan',
        mirrors: [`https://${registry.host}`],
        plainHttp: false,
        ca: registry.certificate,
      };
      const auth = { username: 'puller', password: { variable: 'UNUSED' } };
      const mirror = { name: registry.host, mirrors: [], plainHttp: false, auth };
      await expect(pull([open], '--local')).rejects.toThrow(
        /401 Unauthorized|no basic auth credentials|authorization failed/,
      );
      for (const flags of [['--local'], []]) {
        await pull([open, mirror], ...flags);
        expect(await containerd.ctr('images', 'ls', 'name==registry.lan/tools/probe:1.0')).toContain(one?.digest);
        await containerd.ctr('images', 'rm', '--sync', 'registry.lan/tools/probe:1.0');
      }
      expect(registry.asked).toContain('/v2/tools/probe/manifests/1.0?ns=registry.lan');
    } finally {
      await registry.close();
    }
  });

  it('are pulled by a host itself, under the names of kbs, and what it cannot have is said', async () => {
    const folder = join(runtime, 'published');
    const text = join(folder, 'tree/program');
    await mkdir(dirname(text), { recursive: true });
    await writeFile(text, 'a program\n');
    const layer = join(folder, 'layer.tar.gz');
    await execa('tar', ['-C', join(folder, 'tree'), '-cf', join(folder, 'layer.tar'), 'program']);
    await execa('sh', ['-c', 'gzip < "$1" > "$2"', 'sh', join(folder, 'layer.tar'), layer]);
    const diffIds = [await sha256OfFile(join(folder, 'layer.tar'))];
    const arch = archOfThisMachine();
    const names = ['kube-proxy', 'coredns'];
    const sources = sourcesOf(known(version), arch).images.filter(({ name }) => names.includes(name));
    await publishUpstream(folder, { files: [], images: sources }, arch, {
      program: () => Promise.reject(new Error('no program is published')),
      image: async ({ name }) => ({ layers: [layer], diffIds, entrypoint: [`/${name}`] }),
    });
    const world = await createWorld();
    const server = await serveFaultily(folder, world);
    try {
      await world.run(`mount -t tmpfs none /var/lib; mount -t tmpfs none /usr/local/bin
cp ${['containerd', 'ctr'].map((name) => join(runtime, name)).join(' ')} /usr/local/bin
setsid /usr/local/bin/containerd </dev/null >/run/containerd.log 2>&1 &
until ctr version >/dev/null 2>&1; do sleep 0.1; done`);
      const pulled = async (way: string, ca = server.certificate): Promise<ImageResource> => ({
        kind: 'image',
        name: 'node',
        archives: await Promise.all(
          sources.map(async ({ name, published, reference }) => {
            const [host = '', ...path] = published.slice(0, published.lastIndexOf(':')).split('/');
            const index = join(
              folder,
              host,
              'v2',
              ...path,
              'manifests',
              published.slice(published.lastIndexOf(':') + 1),
            );
            const { manifests } = JSON.parse(await readFile(index, 'utf8')) as { manifests: { digest: string }[] };
            const digest = manifests[1]?.digest ?? '';
            const mirrors = { [host]: `https://${server.at}/${way}/${host}` };
            const image = publishedArtifacts(
              { binaries: [], images: [{ name, published, reference, digest }] },
              { arch, way: { ca }, mirrors },
            ).image(name);
            if (image === undefined) throw new Error(`${name} is not published`);
            return image;
          }),
        ),
      });
      const refused = async (resource: ImageResource) => apply(world, [resource]).then(() => 'no', String);
      expect(await refused(await pulled('missing'))).toMatch(
        /exit 80: 192[.]0[.]2[.]9:8443\/missing\S+@sha256:\w+ could not be downloaded by this host:\nctr: .*not found/,
      );
      expect(await refused(await pulled('whole', await selfSigned(folder, 'other')))).toMatch(/exit 80: (.*\n)+.*x509/);
      const wanted = await pulled('whole');
      await apply(world, [wanted]);
      expect(await allDifferences(world, [wanted])).toEqual([{}]);
      const listed = await world.run('ctr -n k8s.io images ls | grep -v ^sha256: | tail -n +2');
      expect(
        listed
          .trim()
          .split('\n')
          .map((line) => line.split(/\s+/)[0]),
      ).toEqual(sources.map(({ reference }) => reference).toSorted());
      expect(listed.match(/io[.]cri-containerd[.]pinned=pinned/g)).toHaveLength(2);
      expect(await world.run('ctr -n k8s.io images check | grep -v ^sha256: | grep -c "complete .* true"')).toBe('2\n');
      expect(await world.run('ls -A /var/lib/kbs')).toBe('');
    } finally {
      await server.close();
      await world.end();
    }
  });

  it('are pulled by a node where `kbs verify --pull` asks it to, and are gone again', async () => {
    const image = artifacts().image('probe');
    const [one] = image.images;
    const [blobs, server] = [join(runtime, 'served'), join(runtime, 'registry.mjs')];
    await mkdir(blobs);
    await execa('tar', ['-x', '-C', blobs, '--strip-components=2', '-f', image.archive.file, 'blobs/sha256']);
    await writeFile(server, registryProgram(blobs, one?.digest.replace('sha256:', '') ?? ''));
    const world = await createWorld();
    try {
      await world.run(`mount -t tmpfs none /var/lib; mount -t tmpfs none /usr/local/bin; ip link set lo up
cp ${['containerd', 'ctr'].map((name) => join(runtime, name)).join(' ')} /usr/local/bin
setsid '${process.execPath}' ${server} </dev/null >/run/registry 2>&1 &
setsid /usr/local/bin/containerd </dev/null >/run/containerd.log 2>&1 &
until ctr version >/dev/null 2>&1 && grep -q ready /run/registry; do sleep 0.1; done`);
      const [node] = nodes(clusterOf());
      const pulled = async (password: string) => {
        const auth = { username: 'puller', password: { variable: 'UNUSED' } };
        const registries = [{ name: '127.0.0.1:5000', mirrors: [], plainHttp: true, auth }];
        await apply(world, registryFiles({ registries }, { registryPassword: () => new Secret(password) }));
        const [result] = await verifyPulls('127.0.0.1:5000/probe', node ? [node] : [], () => hostOf(world), {});
        return result;
      };
      const failed = await pulled('wrong');
      expect(failed).toMatchObject({ ok: false, detail: expect.stringMatching(/401|authorization failed/) });
      expect(failed?.detail).not.toContain(Buffer.from('puller:wrong').toString('base64'));
      expect(await pulled('secret')).toMatchObject({ ok: true, detail: 'pulled, and deleted again' });
      expect(await world.run('ctr namespaces ls -q; stat -c %a /etc/containerd/certs.d/*/hosts.toml')).toBe('600\n');
    } finally {
      await world.end();
    }
  });

  /** With hosts.toml files for these registries, below a folder, for as long as it takes. */
  const withRegistries = async <T>(
    folder: string,
    registries: readonly RegistryRule[],
    use: (hosts: string) => Promise<T>,
  ): Promise<T> => {
    for (const { path, content } of registryFiles({ registries }, { registryPassword: () => new Secret('secret') })) {
      const file = path.replace('/etc/containerd', folder);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, reveal(content).replaceAll('/etc/containerd', folder));
    }
    try {
      return await use(join(folder, 'certs.d'));
    } finally {
      await rm(join(folder, 'certs.d'), { recursive: true });
    }
  };

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

/** A registry on 127.0.0.1:5000 with one image, for a user and a password. */
const registryProgram = (blobs: string, manifest: string): string => `
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
const login = 'Basic ' + Buffer.from('puller:secret').toString('base64');
createServer(async ({ url, headers }, response) => {
  if (headers.authorization !== login) return response.writeHead(401, { 'www-authenticate': 'Basic realm="tests"' }).end();
  const name = url.includes('/manifests/latest') ? ${JSON.stringify(manifest)} : url.match(/[0-9a-f]{64}/)?.[0] ?? '';
  const type = name === ${JSON.stringify(manifest)} ? 'application/vnd.oci.image.manifest.v1+json' : 'application/octet-stream';
  const blob = await readFile(${JSON.stringify(`${blobs}/`)} + name).catch(() => undefined);
  if (!blob) return response.writeHead(404).end();
  response.writeHead(200, { 'content-type': type, 'docker-content-digest': 'sha256:' + name, 'content-length': blob.length });
  response.end(blob);
}).listen(5000, '127.0.0.1', () => console.log('ready'));
`;

const hostOf = (world: World): Host => {
  const run = ({ script }: { readonly script: Script }): Promise<Output> =>
    world.run(script).then(
      (stdout) => ({ code: 0, stdout, stderr: '' }),
      (error: unknown) => ({ code: 1, stdout: '', stderr: messageOf(error) }),
    );
  return { name: 'node', query: run, mutate: run };
};

interface Manifest {
  readonly layers: readonly { readonly digest: string }[];
}

const theBundle = (): Bundle => {
  if (!bundle) throw new Error('no bundle');
  return bundle;
};

const artifacts = (): StoredArtifacts => theBundle().of(archOfThisMachine());
