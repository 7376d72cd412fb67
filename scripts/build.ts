/**
 * `npm run build`: src to dist, and the manifest that spares oclif from loading every command at each start.
 * dist holds exactly what src says: what a deleted source left behind goes.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const compiled = /\.ts$/;
// The oclif tool would ask the registry whether there is a newer one.
const env = { ...process.env, OCLIF_SKIP_NEW_VERSION_CHECK: 'true' };

run('../typescript-7/bin/tsc', '-p', 'tsconfig.build.json');
copyAssets();
removeOrphans();
run('oclif', 'manifest');

function run(command: string, ...args: readonly string[]): void {
  const { status } = spawnSync(join('node_modules', '.bin', command), args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env,
  });
  if (status !== 0) {
    // tsc and oclif say what is wrong on stdout.
    spawnSync(join('node_modules', '.bin', command), args, { stdio: 'inherit', env });
    process.exit(1);
  }
}

/** Templates, Go module files: everything in src that the compiler does not take. */
function copyAssets(): void {
  for (const file of filesUnder('src').filter((path) => !compiled.test(path))) {
    const target = join('dist', relative('src', file));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(file, target);
  }
}

function removeOrphans(): void {
  for (const file of filesUnder('dist').filter((path) => !path.endsWith('.tsbuildinfo'))) {
    const source = join('src', relative('dist', file));
    if (!existsSync(source) && !existsSync(source.replace(/\.js$/, '.ts'))) rmSync(file);
  }
}

function filesUnder(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
