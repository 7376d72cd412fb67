import { type FileHandle, open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { Failure } from '../../failure.js';
import type { Payload } from '../host.js';
import { messageOf } from '../message.js';

/**
 * Writes a script and then its payloads to a command's stdin, no faster than it is read, and closes it.
 *
 * Resolves early where the command stops listening: its exit status says more than the broken pipe. Throws a Failure
 * only for what is wrong on this machine: a payload file that is not what the plan says.
 */
export async function writeStdin(
  stdin: Writable,
  script: Uint8Array,
  payloads: readonly Payload[],
  signal: AbortSignal,
): Promise<void> {
  let listening = true;
  const stop = () => {
    listening = false;
  };
  stdin.on('error', stop).on('close', stop);
  let written = Promise.resolve();
  for await (const chunk of chunks(script, payloads)) {
    await written;
    if (!listening || signal.aborted) return;
    written = write(stdin, chunk, signal);
  }
  await written;
  if (listening && !signal.aborted) stdin.end();
}

/** Resolves when the chunk may be overwritten: it was written, or the command has ended. */
const write = (stdin: Writable, chunk: Uint8Array, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done);
    stdin.write(chunk, done);
  });

async function* chunks(script: Uint8Array, payloads: readonly Payload[]): AsyncGenerator<Uint8Array> {
  yield script;
  for (const payload of payloads) {
    if ('bytes' in payload) yield payload.bytes;
    else yield* fileChunks(payload.file, payload.size);
  }
}

/**
 * Reads a file into two buffers in turn, so that one is filled while the other is written. A chunk is good until the
 * one after the next is asked for: memory stays flat, and the garbage collector has nothing to do.
 */
async function* fileChunks(file: string, size: number): AsyncGenerator<Uint8Array> {
  const handle = await opened(file);
  try {
    let [buffer, other] = [Buffer.allocUnsafe(chunkSize), Buffer.allocUnsafe(chunkSize)];
    for (let sent = 0; sent < size; ) {
      const wanted = Math.min(chunkSize, size - sent);
      const { bytesRead } = await handle.read(buffer, 0, wanted, sent).catch((cause) => {
        throw unreadable(file, cause);
      });
      if (bytesRead === 0) throw changed(file, size, sent);
      sent += bytesRead;
      yield buffer.subarray(0, bytesRead);
      [buffer, other] = [other, buffer];
    }
  } finally {
    await handle.close();
  }
}

/** Small: what is written waits in memory until the network has taken it, once for each host. */
const chunkSize = 128 * 1024;

/** Throws a Failure where a payload file is missing or has another size than was planned, before anything is sent. */
export async function checkFiles(payloads: readonly Payload[]): Promise<void> {
  for (const payload of payloads) {
    if ('bytes' in payload) continue;
    const handle = await opened(payload.file);
    try {
      const { size } = await handle.stat();
      if (size !== payload.size) throw changed(payload.file, payload.size, size);
    } finally {
      await handle.close();
    }
  }
}

const opened = (file: string): Promise<FileHandle> =>
  open(file).catch((cause) => {
    throw unreadable(file, cause);
  });

const unreadable = (file: string, cause: unknown): Failure =>
  new Failure('refused', `cannot read ${file}`, { why: [messageOf(cause)], cause });

const changed = (file: string, expected: number, found: number): Failure =>
  new Failure('refused', `${file} changed while it was being used`, {
    why: [`it had ${expected} bytes when the plan was made, and has ${found} now`],
    next: 'run the command again once nothing else writes to that file',
  });
