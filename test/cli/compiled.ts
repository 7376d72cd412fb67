import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * A folder that holds src and the fixture as plain JavaScript, removed when the test file is done. A process that need
 * not translate TypeScript starts in a third of the time, and these tests start many.
 */
export const compiled = mkdtempSync(join(tmpdir(), 'kbs-cli-'));

afterAll(() => rmSync(compiled, { recursive: true }));

cpSync(join(root, 'package.json'), join(compiled, 'package.json'));
symlinkSync(join(root, 'node_modules'), join(compiled, 'node_modules'));
for (const file of [...filesUnder('src'), ...filesUnder('test/cli/fixture')]) {
  const target = join(compiled, file.replace(/\.ts$/, '.js'));
  mkdirSync(dirname(target), { recursive: true });
  if (file.endsWith('.ts')) writeFileSync(target, translated(readFileSync(join(root, file), 'utf8')));
  else cpSync(join(root, file), target);
}

function translated(text: string): string {
  const { ES2023: target } = ts.ScriptTarget;
  const { ES2022: module } = ts.ModuleKind;
  return ts.transpileModule(text, { compilerOptions: { target, module, verbatimModuleSyntax: true } }).outputText;
}

function filesUnder(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|js|json)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length));
}
