import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { sha256 } from '../secret.js';
import { sha256OfFile } from './digest.js';

/**
 * Remembers the sha256 of files by what the file system says about them, so that an unchanged bundle is not hashed at
 * every run. Any write moves a file's ctime, which no program can set back; a file that was written just before it was
 * hashed is hashed again, because clocks of file systems are coarse.
 */
export const openHashCache = async (cache: string, about: string): Promise<HashCache> => {
  const home = join(cache, 'stamps', `${sha256(about).slice(0, 20)}.json`);
  const known = await read(home);
  const fresh = new Map<string, CachedHash>();
  return {
    async sha256Of(file, trust = true) {
      const now = await stat(file, { bigint: true });
      const shape = [now.dev, now.ino, now.size, now.mtimeNs, now.ctimeNs].join(' ');
      const old = known.get(file);
      if (trust && old?.shape === shape && old.settled) {
        fresh.set(file, old);
        return old.sha256;
      }
      const at = Date.now();
      const digest = await sha256OfFile(file);
      fresh.set(file, { shape, sha256: digest, settled: at - Number(now.ctimeNs / 1_000_000n) > coarsest });
      return digest;
    },
    async keep() {
      await mkdir(dirname(home), { recursive: true });
      await writeFileAtomic(home, JSON.stringify(Object.fromEntries(fresh)));
    },
  };
};

export interface HashCache {
  /** The sha256 of a file; the remembered one where the file is unchanged, unless `trust` is false. */
  sha256Of(file: string, trust?: boolean): Promise<string>;
  /** Saves the hashes that were asked for in this run. */
  keep(): Promise<void>;
}

interface CachedHash {
  readonly shape: string;
  readonly sha256: string;
  /** Whether the file had been left alone for long enough when it was hashed. */
  readonly settled: boolean;
}

/** Milliseconds: FAT, the coarsest file system a bundle is carried on, counts in two seconds. */
const coarsest = 2_000;

const read = async (home: string): Promise<ReadonlyMap<string, CachedHash>> => {
  try {
    return new Map(Object.entries(JSON.parse(await readFile(home, 'utf8')) as Record<string, CachedHash>)); // written by `keep`
  } catch {
    return new Map();
  }
};
