import { run } from './command.js';

/** Packs what it reads, a file of that path or a stream, into the file `into`. `unzstd` is the path of that program. */
export const zstd = async (unzstd: string, from: string | AsyncIterable<Uint8Array>, into: string): Promise<void> => {
  const stdin = typeof from === 'string' ? { file: from } : from;
  await run(`pack ${into}`, unzstd, ['-compress'], { stdin, stdout: { file: into } });
};
