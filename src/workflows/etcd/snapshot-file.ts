import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { Failure } from '../../failure.js';
import { messageOf } from '../../hosts/message.js';

export interface SnapshotFile {
  /** Bytes. */
  readonly size: number;
  /** Of its content, in hexadecimal digits. */
  readonly sha256: string;
}

/** A snapshot ends with the SHA-256 of all that comes before, whose length is a multiple of a disk sector. */
export const checkSnapshot = async (file: string): Promise<SnapshotFile> => {
  const wrong = (why: string, cause?: unknown) =>
    new Failure('usage', `${file} is no whole snapshot of etcd`, { why: [why], next: 'name another one', cause });
  const { size } = await stat(file).catch((cause: unknown) => {
    throw wrong(messageOf(cause), cause);
  });
  if (size <= 32 || size % 512 !== 32) throw wrong('it does not end where a snapshot ends');
  const sum = await bytesAt(file, size - 32, 32);
  const digest = createHash('sha256');
  for await (const chunk of createReadStream(file, { end: size - 33 })) digest.update(chunk as Buffer);
  if (!digest.digest().equals(sum)) throw wrong('its checksum is not that of its content');
  return { size, sha256: sum.toString('hex') };
};

const bytesAt = async (file: string, position: number, length: number): Promise<Buffer> => {
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, position);
    return buffer;
  } finally {
    await handle.close();
  }
};
