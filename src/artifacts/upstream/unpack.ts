import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { buildCached, keyOf } from '../cache.js';
import type { FetchedFile } from './fetch.js';
import type { SourceFile } from './sources.js';

/** The programs that a published file holds, each on this machine; throws an Error where one is not in its archive. */
export const unpackPrograms = async (
  { name, url, holds }: SourceFile,
  { file, sha256 }: FetchedFile,
  cache: string,
): Promise<ReadonlyMap<string, { readonly file: string; readonly key: string }>> => {
  const members = holds.flatMap(({ member }) => member ?? []);
  if (members.length === 0) return new Map(holds.map((held) => [held.name, { file, key: sha256 }]));
  const { folder } = await buildCached(cache, keyOf(`unpacked-${name}`, [sha256, members]), async (into) => {
    const missing = new Set(members);
    const archive = extract();
    const reading = pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), createGunzip(), archive);
    try {
      for await (const entry of archive) {
        const member = entry.header.name.replace(/^\.\//, '');
        if (entry.header.type === 'file' && missing.delete(member)) {
          await pipeline(entry, createWriteStream(join(into, fileOf(member))));
        } else entry.resume();
      }
    } finally {
      await reading;
    }
    if (missing.size > 0) throw new Error(`${url} holds no ${[...missing].join(' and no ')}`);
  });
  return new Map(
    holds.map((held) => {
      const member = held.member ?? '';
      return [held.name, { file: join(folder, fileOf(member)), key: `${sha256} ${member}` }];
    }),
  );
};

const fileOf = (member: string): string => member.slice(member.lastIndexOf('/') + 1);
