import { createHash } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** Every file and directory below `root`: mode, time of the last change and digest, by path. */
export const treeOf = async (root: string): Promise<Readonly<Record<string, string>>> => {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = [root, ...entries.map((entry) => join(entry.parentPath, entry.name))].sort();
  const lines = paths.map(async (path) => {
    const { mode, mtimeNs } = await lstat(path, { bigint: true });
    const content = await readFile(path).catch(() => 'unreadable');
    const digest = createHash('sha256').update(content).digest('hex');
    return [relative(root, path), `${(mode & 0o777n).toString(8)} ${mtimeNs} ${digest}`] as const;
  });
  return Object.fromEntries(await Promise.all(lines));
};

/** The files that differ between two trees, sorted. */
export const changedFiles = (
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): readonly string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((path) => /\.(crt|key|pub)$/.test(path) && before[path] !== after[path])
    .sort();
