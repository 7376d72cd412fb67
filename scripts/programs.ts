/**
 * `npm run programs`: kbs's own programs, built for every architecture into built/, which a package of kbs brings
 * along. With them, `kbs bundle create` needs no compiler.
 */
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { architectures } from '../src/artifacts/arch.js';
import { buildProgram } from '../src/artifacts/build/go-modules.js';
import { cacheFolder } from '../src/artifacts/cache.js';
import { knownVersions, releaseOf } from '../src/artifacts/catalogue.js';
import { ownProgramPath, ownProgramsFolder } from '../src/artifacts/upstream/own-program.js';

const cache = join(cacheFolder(), 'build');
await mkdir(cache, { recursive: true });
await rm(ownProgramsFolder, { recursive: true, force: true });
for (const version of knownVersions()) {
  const probe = releaseOf(version)?.programs.find(({ name }) => name === 'probe');
  if (probe === undefined) continue;
  for (const arch of architectures) {
    const { file } = await buildProgram(probe, { cache, arch });
    const target = join(ownProgramsFolder, ownProgramPath(probe, arch));
    await mkdir(dirname(target), { recursive: true });
    await copyFile(file, target);
    process.stdout.write(`${target}\n`);
  }
}
