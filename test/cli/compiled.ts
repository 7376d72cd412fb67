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
  translate(making);
  for (const file of sources.filter((path) => !path.endsWith('.ts'))) {
    mkdirSync(dirname(join(making, file)), { recursive: true });
    cpSync(join(root, file), join(making, file));
  }
  const about = join(making, 'package.json');
  writeFileSync(about, readFileSync(about, 'utf8').replaceAll('"./dist/', '"./src/'));
  symlinkSync(join(root, 'node_modules'), join(making, 'node_modules'));
  for (const folder of [making, join(making, 'test/cli/fixture')]) describeCommands(folder);
  try {
    renameSync(making, compiled);
  } catch (error) {
    if (!existsSync(compiled)) throw error;
    rmSync(making, { recursive: true });
  }
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

/** Types are checked elsewhere; here they are only taken off. */
function translate(target: string): void {
  const compiler = join(root, 'node_modules/typescript-7/bin/tsc');
  const options = ['--noEmit', 'false', '--noCheck', '--rootDir', '.', '--outDir', target];
  execFileSync(process.execPath, [compiler, '-p', '.', ...options], { cwd: root });
}

function filesUnder(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length));
}
