import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../../failure.js';
import type { Arch } from '../arch.js';
import type { BuildContext } from '../build/context.js';
import { type Built, buildProgram } from '../build/go-modules.js';
import { sha256OfFile } from '../digest.js';
import type { Program } from '../release.js';

/** Where a package of kbs has the programs that are its own, built: three folders above this file in src as well as in dist. */
export const ownProgramsFolder = fileURLToPath(new URL('../../../built/', import.meta.url));

/** A program's path there. */
export const ownProgramPath = ({ name, version }: Program, arch: Arch): string => join(arch, `${name}-${version}`);

/**
 * A program that no other project publishes: the one that came with kbs's package; in a checkout without it, built by Go.
 * `folder` stands in for the package's.
 */
export const ownProgram = async (
  program: Program,
  context: BuildContext,
  folder = ownProgramsFolder,
): Promise<Pick<Built, 'file' | 'key' | 'made'>> => {
  const file = join(folder, ownProgramPath(program, context.arch));
  const comes = await stat(file).catch(() => undefined);
  if (comes !== undefined) return { file, key: await sha256OfFile(file), made: false };
  return buildProgram(program, context).catch((cause: unknown) => {
    throw new Failure(
      'preflight',
      `${program.name} for ${context.arch} did not come with this kbs, and cannot be built`,
      {
        where: { resource: file },
        why: [cause instanceof Failure ? [cause.message, ...cause.why].join(': ') : String(cause)],
        next: 'install kbs from its package, which has it; or install Go, and run the same command again',
        cause,
      },
    );
  });
};
