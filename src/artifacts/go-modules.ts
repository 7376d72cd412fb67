import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Arch } from './arch.js';
import { buildCached, keyOf } from './cache.js';
import { run } from './command.js';
import type { CProgram, GoProgram, Program } from './release.js';

/**
 * One program, built from its module files with every version pinned, or taken from the cache where the same inputs
 * were built before. Gives the path of the executable.
 */
export const buildProgram = async (program: Program, context: BuildContext): Promise<Built> => {
  const source = join(programsFolder, program.folder);
  const recipe = program.language === 'go' ? goRecipe(program, source, context) : cRecipe(program, source);
  const key = keyOf(`${program.name}-${program.version}`, {
    tool: recipe.tool,
    words: recipe.words('OUT').map((word) => word.replaceAll(source, 'SOURCE')),
    environment: recipe.environment,
    files: await textsOf(source),
    compiler: await recipe.compiler(),
  });
  const { folder, made } = await buildCached(context.cache, key, async (folder) => {
    await run(`build ${program.name} ${program.version}`, recipe.tool, recipe.words(join(folder, program.name)), {
      environment: recipe.environment,
      ...(context.signal === undefined ? {} : { signal: context.signal }),
    });
  });
  return { file: join(folder, program.name), key, made };
};

export interface BuildContext {
  readonly cache: string;
  readonly arch: Arch;
  readonly signal?: AbortSignal;
}

export interface Built {
  readonly file: string;
  /** Names the content: equal keys are equal bytes. */
  readonly key: string;
  readonly made: boolean;
}

interface Recipe {
  readonly tool: string;
  readonly words: (out: string) => readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly compiler: () => Promise<string>;
}

const goRecipe = (program: GoProgram, source: string, { arch }: BuildContext): Recipe => {
  const stamps = Object.entries(program.stamps).map(([variable, value]) => `-X ${variable}=${value}`);
  const linker = ['-s -w', ...stamps, ...linkedWithC[program.cgo]].join(' ');
  const environment = {
    GOOS: 'linux',
    GOARCH: arch,
    CGO_ENABLED: program.cgo === 'none' ? '0' : '1',
    // What a user's own settings would change in the result is set here.
    GOFLAGS: '-mod=readonly -buildvcs=false',
    GOWORK: 'off',
    GOEXPERIMENT: '',
    GOAMD64: 'v1',
  };
  return {
    tool: 'go',
    words: (out) => [
      'build',
      '-C',
      source,
      '-trimpath',
      ...(program.tags.length === 0 ? [] : ['-tags', program.tags.join(',')]),
      '-ldflags',
      linker,
      '-o',
      out,
      program.package,
    ],
    environment,
    // A module file may ask for a newer toolchain than the one that is installed; Go then fetches it.
    compiler: async () => {
      const go = await run('ask Go for its version', 'go', ['env', '-C', source, 'GOVERSION'], { environment });
      return program.cgo === 'none' ? go : `${go} ${await gcc()}`;
    },
  };
};

/** Lazy: a function that the host's library lacks is missed only when it is called. */
const linkedWithC: Readonly<Record<GoProgram['cgo'], readonly string[]>> = {
  none: [],
  static: ["-linkmode external -extldflags '-static'"],
  dynamic: ["-linkmode external -extldflags '-Wl,-z,lazy'"],
};

const cRecipe = (program: CProgram, source: string): Recipe => ({
  tool: 'gcc',
  words: (out) => [
    ...['-Os', '-static', '-s', '-Wall', '-Werror', '-Wl,--build-id=none', '-o', out],
    join(source, `${program.name}.c`),
  ],
  environment: {},
  compiler: gcc,
});

const gcc = (): Promise<string> => run('ask gcc for its version', 'gcc', ['-dumpfullversion', '-dumpmachine']);

/** The module files and sources at the package's root: two folders above this file in src as well as in dist. */
const programsFolder = fileURLToPath(new URL('../../programs/', import.meta.url));

const textsOf = async (folder: string): Promise<readonly (readonly [string, string])[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    paths.sort().map(async (path) => [path.slice(folder.length), await readFile(path, 'utf8')] as const),
  );
};
