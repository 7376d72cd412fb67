import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { knownVersions } from '../artifacts/catalogue.js';
import { defined } from '../defined.js';
import { Failure, failuresIn } from '../failure.js';
import { parseCidr } from '../inventory/addresses.js';
import { type ImportedInventory, importInventory } from '../inventory/import/import.js';
import type { Tool } from '../inventory/import/tool-cluster.js';
import { readVarFiles } from '../inventory/import/var-files.js';
import { loadCluster } from './load-cluster.js';

export interface ImportRequest {
  readonly file: string;
  readonly tool?: Tool;
  /** CIDRs of the networks that the hosts are in. */
  readonly segments: readonly string[];
  /** Where the inventory is to lie; paths in it start there. */
  readonly output: string;
  readonly name?: string;
}

export interface Import extends ImportedInventory {
  /** What `kbs inventory validate` says of the result; empty where it is valid. */
  readonly mistakes: readonly Failure[];
}

/** The inventory for a file of another tool, and what is still wrong with it. Writes nothing. */
export const importFile = async ({ file, tool, segments, output, name }: ImportRequest): Promise<Import> => {
  for (const cidr of segments) {
    const parsed = parseCidr(cidr);
    if (parsed !== undefined && parsed.address === parsed.network) continue;
    throw new Failure('usage', `${cidr} is not a network`, { next: 'write one as --segment 192.168.10.0/24' });
  }
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new Failure('usage', `${file} cannot be read`, { why: [cause.message], cause });
  });
  const folder = dirname(file);
  const { files: varFiles, unread } = readVarFiles(folder);
  const imported = importInventory(
    { file, text, folder: basename(resolve(folder)), varFiles, unread, ...defined({ tool }) },
    { versions: knownVersions(), segments, ...defined({ name }) },
  );
  const mistakes = await loadCluster(output, imported.text).then(
    () => [],
    (error: unknown) => {
      const failures = failuresIn(error);
      if (failures.length === 0) throw error;
      return failures;
    },
  );
  return { ...imported, mistakes };
};
