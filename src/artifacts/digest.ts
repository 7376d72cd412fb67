import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** The sha256 of a file's bytes in hex, read in pieces. */
export const sha256OfFile = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece);
  return hash.digest('hex');
};

/** The same pieces, each seen by `hash` on its way. */
export async function* through(pieces: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    hash.update(piece);
    yield piece;
  }
}
