import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { Failure } from '../failure.js';
import type { BundleCatalogue } from './bundle-catalogue.js';
import { buildCached, keyOf } from './cache.js';
import { tarOf } from './tar.js';

/** The folder of a bundle: the path itself, or, for a `.tar`, where it was unpacked in the cache, once per change. */
export const folderOf = async (path: string, cache: string): Promise<string> => {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  if (!found) {
    throw new Failure('preflight', `there is no bundle at ${path}`, {
      where: { resource: path },
      next: 'make one with `kbs bundle create` or `kbs bundle build`, or name another path.',
    });
  }
  if (found.isDirectory()) return path;
  const shape = [resolve(path), found.ino, found.size, found.mtimeNs, found.ctimeNs].map(String);
  const { folder } = await buildCached(join(cache, 'unpacked'), keyOf('bundle', shape), (into) => unpack(path, into));
  return folder;
};

/** Writes a bundle's folder into one `.tar`, the catalogue first; the same bundle gives the same bytes. */
export const writeBundleTar = async (folder: string, catalogue: BundleCatalogue, into: string): Promise<void> => {
  const files = ['catalogue.json', ...catalogue.members.map((member) => member.file)];
  const entries = files.map((path) => ({ type: 'file' as const, path, mode: 0o644, file: join(folder, path) }));
  const beside = `${into}.${process.pid}.partial`;
  await mkdir(dirname(into), { recursive: true });
  try {
    await pipeline(tarOf(entries), createWriteStream(beside));
    await rename(beside, into);
  } finally {
    await rm(beside, { force: true });
  }
};

const unpack = async (path: string, into: string): Promise<void> => {
  const members = extract();
  const reading = pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), members);
  try {
    for await (const member of members) {
      const { name, type } = member.header;
      const target = join(into, name);
      if (!target.startsWith(`${into}/`)) throw new Error(`member ${name} would lie outside of the bundle`);
      if (type !== 'file') {
        member.resume();
        continue;
      }
      await mkdir(dirname(target), { recursive: true });
      await pipeline(member, createWriteStream(target));
    }
    await reading;
  } catch (cause) {
    await reading.catch(() => undefined);
    throw new Failure('preflight', `${path} is no bundle: it cannot be unpacked as a tar`, {
      where: { resource: path },
      why: [String(cause)],
      next: 'copy the bundle again, or make it anew with `kbs bundle create` or `kbs bundle build`.',
      cause,
    });
  }
};
