import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { archOfThisMachine } from '../../../src/artifacts/arch.js';
import type { BinaryName, StoredArtifacts } from '../../../src/artifacts/artifacts.js';
import { defaultBundle, openBundle } from '../../../src/artifacts/bundle.js';
import { known } from '../../../src/artifacts/catalogue.js';
import { sha256OfFile } from '../../../src/artifacts/digest.js';
import { type SourceImage, sourcesOf } from '../../../src/artifacts/upstream/sources.js';
import { type PublishedImage, publishUpstream } from '../../support/upstream.js';
import { root as sources } from './kbs.js';

/** Every host of the internet that something of a bundle with add-ons is published at. */
export const publishedHosts = [
  'dl.k8s.io',
  'github.com',
  'get.helm.sh',
  'registry.k8s.io',
  'quay.io',
  'docker.io',
  'proxy.golang.org',
] as const;

/**
 * Lays out below `home` what projects publish for a cluster, most often one with add-ons, as `publishUpstream` does: of what kbs has built.
 * Gives the folder.
 */
export const publishAll = async (home: string, { addons = true } = {}): Promise<string> => {
  const arch = archOfThisMachine();
  const root = join(home, 'mirror');
  const bundle = (await openBundle(defaultBundle('1.36.3'))).of(arch);
  const release = known('1.36.3');
  await publishUpstream(root, sourcesOf(release, arch, { addons }), arch, publishedFrom(bundle, home));
  for (const { folder, inModule } of addons ? release.charts : []) {
    if (inModule) await publishModule(root, folder, inModule.module);
  }
  return root;
};

/** Pins of what only its own project can sign, for what `publishAll` has laid out. */
export const pinsOf = async (root: string): Promise<string> => {
  const signed = sourcesOf(known('1.36.3'), archOfThisMachine()).files.filter(({ signedBy }) => signedBy !== undefined);
  const pins = signed.map(
    async ({ url }) => [url, await sha256OfFile(join(root, url.slice('https://'.length)))] as const,
  );
  return JSON.stringify(Object.fromEntries(await Promise.all(pins)));
};

/** As proxy.golang.org has a module; Go has downloaded it for the build. */
const publishModule = async (root: string, folder: string, module: string): Promise<void> => {
  const programs = join(sources, 'programs', folder);
  const { stdout } = await execa('go', ['mod', 'download', '-C', programs, '-json', module]);
  const { Zip, Version } = JSON.parse(stdout) as { readonly Zip: string; readonly Version: string };
  const at = join(root, 'proxy.golang.org', module, '@v');
  await mkdir(at, { recursive: true });
  await copyFile(Zip, join(at, `${Version}.zip`));
};

/** The programs and images of a bundle that was built, as projects would publish them. `folder` is for what is made on the way. */
const publishedFrom = (
  bundle: StoredArtifacts,
  folder: string,
): {
  readonly program: (name: string) => Promise<string>;
  readonly image: (source: SourceImage) => Promise<PublishedImage>;
} => {
  const unzstd = bundle.binary('unzstd').file;
  const program = async (name: string): Promise<string> => {
    const file = join(folder, name);
    await execa(unzstd, { stdin: { file: bundle.binary(name as BinaryName).file }, stdout: { file }, buffer: false });
    await execa('chmod', ['755', file]);
    // Three programs where kbs builds one: what follows a program's last section is never read.
    if (/^kube-(apiserver|controller-manager|scheduler)$/.test(name)) {
      await execa('sh', ['-c', 'printf %s "$1" >> "$2"', 'sh', name, file]);
    }
    return file;
  };
  const image = async ({ name }: SourceImage): Promise<PublishedImage> => {
    const { archive, images } = bundle.image(name);
    const layout = join(folder, `layout-${archive.name}`);
    await mkdir(layout, { recursive: true });
    await execa('tar', ['-xf', archive.file, '-C', layout]);
    const read = async <T>(digest: string): Promise<T> =>
      // What `kbs bundle build` wrote.
      JSON.parse(await readFile(join(layout, 'blobs/sha256', digest.replace('sha256:', '')), 'utf8')) as T;
    const digest = images.find(({ reference }) => reference.startsWith(`kbs.local/${name}:`))?.digest ?? '';
    const manifest = await read<Manifest>(digest);
    const config = await read<Config>(manifest.config.digest);
    const layers = [];
    for (const layer of manifest.layers) {
      const packed = join(layout, 'blobs/sha256', layer.digest.replace('sha256:', ''));
      const target = `${packed}.gz`;
      await execa('sh', ['-ec', '"$1" < "$2" | gzip -1 > "$3"', 'sh', unzstd, packed, target]);
      layers.push(target);
    }
    return {
      layers,
      diffIds: config.rootfs.diff_ids.map((each) => each.replace('sha256:', '')),
      entrypoint: config.config.Entrypoint,
    };
  };
  return { program, image };
};

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

interface Config {
  readonly config: { readonly Entrypoint: readonly string[] };
  readonly rootfs: { readonly diff_ids: readonly string[] };
}
