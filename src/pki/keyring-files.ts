import { chmod, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { Failure } from '../failure.js';
import { makePrivateFolder } from '../private-folder.js';
import { Secret } from '../secret.js';

/** Every file of a keyring by its path below the directory; empty where the directory is absent. Changes nothing. */
export const readKeyringFiles = async (directory: string): Promise<KeyringFiles> => {
  const paths = (await entriesOf(directory)).filter((entry) => entry.type !== 'directory').map((entry) => entry.path);
  return new Map(await Promise.all(paths.map(async (path) => [path, await read(join(directory, path))] as const)));
};

/** A text, or why it cannot be read. All count as secret here: a name does not say what was put into a file. */
export type KeyringFiles = ReadonlyMap<string, Secret | Unreadable>;

export interface Unreadable {
  readonly unreadable: string;
}

/** Writes one file whole or not at all, readable by its owner alone from the first byte. */
export const writeKeyringFile = async (directory: string, path: string, text: string): Promise<void> => {
  const file = join(directory, path);
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFileAtomic(file, text, { mode: 0o600 });
  } catch (cause) {
    throw new Failure('preflight', `cannot write ${file}`, { where: { position: file }, why: [reason(cause)], cause });
  }
};

/** Makes the directory, 0700 and out of version control, and takes from everything in it what group and others may do. */
export const secureKeyring = async (directory: string): Promise<void> => {
  try {
    makePrivateFolder(directory);
    await chmod(directory, 0o700);
    // What a link points at lies elsewhere, and is not of the keyring.
    for (const { path, type } of await entriesOf(directory))
      if (type !== 'link') await chmod(join(directory, path), type === 'directory' ? 0o700 : 0o600);
  } catch (cause) {
    const next = `let only its owner read it: chmod -R go= ${directory}`;
    throw new Failure('preflight', `cannot secure the keyring ${directory}`, { why: [reason(cause)], next, cause });
  }
};

/** Removes a folder with all that is in it; one that is not there is no failure. */
export const removeKeyringFolder = async (directory: string, path: string): Promise<void> => {
  try {
    await rm(join(directory, path), { recursive: true, force: true });
  } catch (cause) {
    throw new Failure('preflight', `cannot remove ${join(directory, path)}`, { why: [reason(cause)], cause });
  }
};

interface Entry {
  readonly path: string;
  readonly type: 'file' | 'directory' | 'link';
}

const entriesOf = async (directory: string): Promise<readonly Entry[]> => {
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    return entries
      .map((entry) => ({
        path: relative(directory, join(entry.parentPath, entry.name)),
        type: entry.isDirectory()
          ? ('directory' as const)
          : entry.isSymbolicLink()
            ? ('link' as const)
            : ('file' as const),
      }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
    const next = 'run kbs as the user that owns it';
    throw new Failure('preflight', `cannot read the keyring ${directory}`, { why: [reason(cause)], next, cause });
  }
};

const read = async (file: string): Promise<Secret | Unreadable> => {
  try {
    return new Secret(await readFile(file, 'utf8'));
  } catch (cause) {
    return { unreadable: reason(cause) };
  }
};

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
