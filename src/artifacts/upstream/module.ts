import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256 } from '../../secret.js';
import { buildCached, keyOf } from '../cache.js';
import { getUrl } from '../http.js';
import { type Mirrors, mirroredUrl } from './mirrors.js';

export interface ModuleFolder {
  /** `go.universe.tf/metallb`. */
  readonly module: string;
  /** A folder of the module: `charts/metallb`. */
  readonly path: string;
  /** The go.sum that pins the module. */
  readonly sums: string;
}

/**
 * A folder of a Go module, unpacked on this machine, from the module proxy (https://go.dev/ref/mod#goproxy-protocol): without
 * Go, and compared with the go.sum that pins it. Throws an Error that says the address and the reason.
 */
export const folderOfModule = async (
  { module, path, sums }: ModuleFolder,
  {
    cache,
    mirrors,
    signal,
  }: { readonly cache: string; readonly mirrors: Mirrors; readonly signal?: AbortSignal | undefined },
): Promise<string> => {
  const { version, sum } = pinIn(await readFile(sums, 'utf8'), module);
  const { folder } = await buildCached(cache, keyOf('module', [module, version, sum, path]), async (into) => {
    const url = mirroredUrl(`https://proxy.golang.org/${escaped(module)}/@v/${version}.zip`, mirrors);
    const { status, body } = await getUrl(url, { most: mostOfModule, signal });
    if (status !== 200) throw new Error(`${url} answers ${status}`);
    const { unzipSync } = await import('fflate');
    const files = unzipped(() => unzipSync(body), url);
    const actual = sumOf(files);
    if (actual !== sum) throw new Error(`${url} has the sum ${actual}, and go.sum says ${sum}`);
    const prefix = `${module}@${version}/${path}/`;
    for (const [name, content] of files) {
      if (!name.startsWith(prefix) || name.endsWith('/')) continue;
      const target = join(into, path, name.slice(prefix.length));
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content);
    }
  });
  return join(folder, path);
};

/** The largest module that a module proxy serves: https://go.dev/ref/mod#zip-path-size-constraints */
const mostOfModule = 500 * 1024 * 1024;

/** A capital is written as `!` and the small letter: https://go.dev/ref/mod#goproxy-protocol */
const escaped = (module: string): string => module.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);

const pinIn = (sums: string, module: string): { readonly version: string; readonly sum: string } => {
  const words = sums.split('\n').map((line) => line.split(' '));
  const [, version = '', sum = ''] = words.find(([of, at = '']) => of === module && !at.endsWith('/go.mod')) ?? [];
  if (sum === '') throw new Error(`go.sum does not pin ${module}`);
  return { version, sum };
};

type Files = readonly (readonly [string, Uint8Array])[];

const unzipped = (unzip: () => Readonly<Record<string, Uint8Array>>, url: string): Files => {
  try {
    return Object.entries(unzip());
  } catch (cause) {
    throw new Error(`${url} is no zip`, { cause });
  }
};

/** `h1:…` of go.sum: the sha256 of the list of files with their sha256, sorted (golang.org/x/mod/sumdb/dirhash). */
const sumOf = (files: Files): string => {
  const lines = files
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, content]) => `${sha256(content)}  ${name}\n`);
  return `h1:${createHash('sha256').update(lines.join('')).digest('base64')}`;
};
