import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VarFile } from './ansible.js';
import { varsAt } from './ansible-yaml.js';
import { leftOut, type Remark } from './tool-cluster.js';
import { readYaml } from './yaml-input.js';

/**
 * The variables in `group_vars` and `host_vars` of a folder, in the order in which Ansible reads them, and what is
 * encrypted as a whole. Throws Failures `inventory` with `file:line:column` for what is not YAML.
 */
export const readVarFiles = (
  folder: string,
): { readonly files: readonly VarFile[]; readonly unread: readonly Remark[] } => {
  const files: VarFile[] = [];
  const unread: Remark[] = [];
  for (const of of ['group', 'host'] as const) {
    for (const { name, file } of filesIn(join(folder, `${of}_vars`))) {
      const text = readFileSync(file, 'utf8');
      if (text.startsWith('$ANSIBLE_VAULT'))
        unread.push(leftOut([], `${file}: encrypted by Ansible Vault, and not read`));
      else for (const input of readYaml(text, file)) files.push({ of, name, vars: varsAt(input, [], input.value) });
    }
  }
  return { files, unread };
};

/** `NAME.yml`, or the files below a folder `NAME`. */
const filesIn = (folder: string): readonly { readonly name: string; readonly file: string }[] =>
  entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    const name = entry.name.replace(variableFile, '');
    return entry.isDirectory()
      ? below(path).map((file) => ({ name: entry.name, file }))
      : isVariables(entry)
        ? [{ name, file: path }]
        : [];
  });

const below = (folder: string): readonly string[] =>
  entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? below(path) : isVariables(entry) ? [path] : [];
  });

const variableFile = /\.(ya?ml|json)$/;
const isVariables = ({ name }: Dirent): boolean => variableFile.test(name) || !name.includes('.');

/** Hidden files and those of editors are none of Ansible's. */
const entriesOf = (folder: string): readonly Dirent[] => {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !name.startsWith('.') && !name.endsWith('~'))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return [];
    throw error;
  }
};
