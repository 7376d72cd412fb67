import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defined } from '../../defined.js';
import { buildCached, keyOf } from '../cache.js';
import { run } from '../command.js';
import { unpackPackages } from '../packages/apt.js';
import type { CProgram, GoProgram, Program } from '../release.js';
import type { BuildContext } from './context.js';
import { toolchainFor, triplets } from './toolchain.js';

/**
 * One program, built from its module files with every version pinned, or taken from the cache where the same inputs
 * were built before. Gives the path of the executable.
 */
export const buildProgram = async (program: Program, context: BuildContext): Promise<Built> => {
  const source = join(programsFolder, program.folder);
  const recipe = program.language === 'go' ? goRecipe(program, source, context) : cRecipe(program, source, context);
  const libraries = await librariesFor(program, context);
  const key = keyOf(`${program.name}-${program.version}`, {
    tool: recipe.tool,
    words: recipe.words('OUT').map((word) => word.replaceAll(source, 'SOURCE')),
    environment: recipe.environment,
    files: await textsOf(source),
    compiler: await recipe.compiler(),
    ...defined({ libraries: libraries?.key }),
  });
  const { folder, made } = await buildCached(context.cache, key, async (folder) => {
    await run(`build ${program.name} ${program.version}`, recipe.tool, recipe.words(join(folder, program.name)), {
      environment: { ...recipe.environment, ...libraries?.environment },
      ...(context.signal === undefined ? {} : { signal: context.signal }),
    });
  });
  return { file: join(folder, program.name), key, made };
};

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
  const { gcc, cross } = toolchainFor(arch);
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
    // What the oldest processor of the architecture has.
    ...(arch === 'amd64' ? { GOAMD64: 'v1' } : { GOARM64: 'v8.0' }),
    ...(program.cgo !== 'none' && cross ? { CC: gcc } : {}),
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
      return program.cgo === 'none' ? go : `${go} ${await versionOf(gcc)}`;
    },
  };
};

/** Lazy: a function that the host's library lacks is missed only when it is called. */
const linkedWithC: Readonly<Record<GoProgram['cgo'], readonly string[]>> = {
  none: [],
  static: ["-linkmode external -extldflags '-static'"],
  dynamic: ["-linkmode external -extldflags '-Wl,-z,lazy'"],
};

const cRecipe = (program: CProgram, source: string, { arch }: BuildContext): Recipe => {
  const { gcc } = toolchainFor(arch);
  return {
    tool: gcc,
    words: (out) => [
      ...['-Os', '-static', '-s', '-Wall', '-Werror', '-Wl,--build-id=none', '-o', out],
      join(source, `${program.name}.c`),
    ],
    environment: {},
    compiler: () => versionOf(gcc),
  };
};

const versionOf = (gcc: string): Promise<string> =>
  run('ask gcc for its version', gcc, ['-dumpfullversion', '-dumpmachine']);

/**
 * C libraries of another architecture, which cannot be installed here, and where pkg-config finds them. Those of this
 * machine's own are installed.
 */
const librariesFor = async (program: Program, context: BuildContext): Promise<Libraries | undefined> => {
  const { arch } = context;
  if (program.language === 'c' || program.libraries.length === 0 || !toolchainFor(arch).cross) return undefined;
  const { tree, key } = await unpackPackages(program.libraries, context);
  const environment = {
    PKG_CONFIG_LIBDIR: join(tree, 'usr/lib', triplets[arch], 'pkgconfig'),
    PKG_CONFIG_SYSROOT_DIR: tree,
    // They are no folders of this machine's compiler, and so must be named to it.
    PKG_CONFIG_ALLOW_SYSTEM_CFLAGS: '1',
    PKG_CONFIG_ALLOW_SYSTEM_LIBS: '1',
  };
  return { key, environment };
};

interface Libraries {
  /** Names the content. */
  readonly key: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** The module files and sources at the package's root: three folders above this file in src as well as in dist. */
const programsFolder = fileURLToPath(new URL('../../../programs/', import.meta.url));

const textsOf = async (folder: string): Promise<readonly (readonly [string, string])[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    paths.sort().map(async (path) => [path.slice(folder.length), await readFile(path, 'utf8')] as const),
  );
};
