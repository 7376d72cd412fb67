import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { BinaryName, StoredArtifacts } from '../../../src/artifacts/artifacts.js';
import type { SourceImage } from '../../../src/artifacts/upstream/sources.js';
import type { PublishedImage } from '../../support/upstream.js';

/** The programs and images of a bundle that was built, as projects would publish them. `folder` is for what is made on the way. */
export const publishedFrom = (
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
