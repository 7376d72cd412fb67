import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../../failure.js';
import { messageOf } from '../message.js';
import { type KnownKey, parseKnownHosts } from './known-hosts.js';

/** The entries of a known_hosts file. A file that is not there knows nothing; one that cannot be read is a Failure, and never an empty one. */
export async function readKnownHosts(file: string): Promise<readonly KnownKey[]> {
  try {
    return parseKnownHosts(await readFile(file, 'utf8'));
  } catch (cause) {
    if (isMissing(cause)) return [];
    throw new Failure('unreachable', `cannot read the known host keys in ${file}`, {
      why: [messageOf(cause)],
      next: 'make it readable: without it kbs cannot tell a host from an impostor',
      cause,
    });
  }
}

/**
 * Appends a line to a known_hosts file, which is made 0600 where it is missing. One write at the end of the file, so
 * that several runs may learn at the same time without cutting each other's lines.
 */
export async function appendKnownHost(file: string, line: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(file, 'a+', 0o600);
    try {
      const { size } = await handle.stat();
      const last = size === 0 ? newline : (await handle.read(Buffer.alloc(1), 0, 1, size - 1)).buffer;
      await handle.write(`${last.equals(newline) ? '' : '\n'}${line}\n`);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new Failure('unreachable', `cannot write a learned host key to ${file}`, {
      why: [messageOf(cause)],
      next: 'make the file writable, or add the key by hand',
      cause,
    });
  }
}

const newline = Buffer.from('\n');

const isMissing = (thrown: unknown): boolean => thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
