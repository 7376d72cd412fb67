import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = ['package.json', 'bin/run.js', ...filesUnder('src'), ...filesUnder('test/cli/fixture')];

/**
 * A folder that holds kbs and the fixture as plain JavaScript, made again when one of them has changed. A process that
 * need not translate TypeScript starts in a fifth of the time, and these tests start many.
 */
export const compiled = join(root, 'node_modules/.cache/kbs-compiled', digest());

if (!existsSync(compiled)) await compile();

/** Several test processes may come here at once: the first that is done wins, with the same result. */
async function compile(): Promise<void> {
  const shelf = dirname(compiled);
  mkdirSync(shelf, { recursive: true });
  for (const old of readdirSync(shelf)) {
    // Another worker may be clearing up too.
    const seen = statSync(join(shelf, old), { throwIfNoEntry: false });
    if (seen && seen.mtimeMs < Date.now() - 3_600_000) rmSync(join(shelf, old), { recursive: true, force: true });
  }
  const making = `${compiled}.${process.pid}`;
  for (const file of sources) {
    const target = join(making, file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    if (file.endsWith('.ts')) writeFileSync(target, await translated(readFileSync(join(root, file), 'utf8')));
    else cpSync(join(root, file), target);
  }
  const about = join(making, 'package.json');
  writeFileSync(about, readFileSync(about, 'utf8').replaceAll('"./dist/', '"./src/'));
  symlinkSync(join(root, 'node_modules'), join(making, 'node_modules'));
  for (const folder of [making, join(making, 'test/cli/fixture')]) describeCommands(folder);
  if (!existsSync(compiled)) renameSync(making, compiled);
  else rmSync(making, { recursive: true });
}

/** Writes the manifest that `npm run build` makes with oclif's own tool: with it a start need not load every command. */
function describeCommands(folder: string): void {
  const script = `
    import { writeFileSync } from 'node:fs';
    import { Plugin } from '@oclif/core/config';
    const plugin = new Plugin({ ignoreManifest: true, isRoot: true, root: process.cwd() });
    await plugin.load();
    writeFileSync('oclif.manifest.json', JSON.stringify(plugin.manifest));`;
  const env = { ...process.env, NODE_ENV: 'production' };
  execFileSync(process.execPath, ['--input-type=module', '--eval', script], { cwd: folder, env });
}

function digest(): string {
  const hash = createHash('sha256');
  for (const file of [...sources, 'test/cli/compiled.ts'])
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  return hash.digest('hex').slice(0, 16);
}

/**
 * What was translated once is kept by its content: after a change only few files are new. The compiler takes longer to
 * load than most tests take, so it is loaded for those alone.
 */
async function translated(text: string): Promise<string> {
  const kept = join(
    root,
    'node_modules/.cache/kbs-translated',
    `${createHash('sha256').update(text).digest('hex')}.js`,
  );
  if (existsSync(kept)) return readFileSync(kept, 'utf8');
  const { default: ts } = await import('typescript');
  const { ES2023: target } = ts.ScriptTarget;
  const { ES2022: module } = ts.ModuleKind;
  const { outputText } = ts.transpileModule(text, { compilerOptions: { target, module, verbatimModuleSyntax: true } });
  mkdirSync(dirname(kept), { recursive: true });
  writeFileSync(`${kept}.${process.pid}`, outputText);
  renameSync(`${kept}.${process.pid}`, kept);
  return outputText;
}

function filesUnder(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length));
}
