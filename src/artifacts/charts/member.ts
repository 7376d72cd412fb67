import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildContext } from '../build/context.js';
import { type Measure, measure, type PackedMember, readMetadata, writeMetadata } from '../bundle-members.js';
import { buildCached, keyOf } from '../cache.js';
import { run } from '../command.js';
import type { ChartRecipe } from '../release.js';
import { readChart } from './chart.js';

/**
 * The chart of an add-on, packed out of the Go module that it lies in, or kbs's own. The module file pins its content.
 * `folderOf` gives the chart's folder in its module, on this machine; Go does when absent.
 */
export const makeChart = async (
  recipe: ChartRecipe,
  context: Pick<BuildContext, 'cache' | 'signal'>,
  folderOf: (recipe: InModule) => Promise<string> = (given) => byGo(given, context),
): Promise<PackedMember> => {
  const { addon, name, version, inModule } = recipe;
  const key = keyOf(`chart-${name}`, [recipe, await contentOf(recipe)]);
  const { folder, made } = await buildCached(context.cache, key, async (into) => {
    const source = join(programsFolder, recipe.folder);
    const chart = await readChart(
      inModule === undefined ? source : await folderOf({ ...inModule, sums: join(source, 'go.sum') }),
    );
    if (chart.name !== name || chart.version !== version) {
      throw new Error(`${recipe.folder} holds chart ${chart.name} ${chart.version}, and not ${name} ${version}`);
    }
    await writeFile(join(into, 'chart.tgz'), chart.tgz);
    await writeMetadata(into, await measure(join(into, 'chart.tgz')));
  });
  const file = `charts/${name}-${version}.tgz`;
  return {
    source: join(folder, 'chart.tgz'),
    member: { file, ...(await readMetadata<Measure>(folder)) },
    chart: { addon, name, version, file, from: inModule?.module ?? 'kbs' },
    made,
  };
};

/** What the chart's content follows from: the lines that pin its module, or the digest of kbs's own. */
const contentOf = async ({ folder, inModule }: ChartRecipe): Promise<readonly string[]> => {
  if (inModule === undefined) return [(await readChart(join(programsFolder, folder))).sha256];
  const pins = await readFile(join(programsFolder, folder, 'go.sum'), 'utf8');
  return pins.split('\n').filter((line) => line.startsWith(`${inModule.module} `));
};

/** A folder of a module, and the go.sum that pins it. */
type InModule = NonNullable<ChartRecipe['inModule']> & { readonly sums: string };

const byGo = async ({ module, path, sums }: InModule, { signal }: Pick<BuildContext, 'signal'>): Promise<string> => {
  const said = await run(`fetch ${module}`, 'go', ['mod', 'download', '-C', dirname(sums), '-json', module], {
    environment: { GOFLAGS: '-mod=mod', GOWORK: 'off' },
    ...(signal === undefined ? {} : { signal }),
  });
  const { Dir: home } = JSON.parse(said) as { readonly Dir: string };
  return join(home, path);
};

const programsFolder = fileURLToPath(new URL('../../../programs/', import.meta.url));
