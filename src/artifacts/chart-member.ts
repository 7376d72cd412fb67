import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildContext } from './build-context.js';
import { type Measure, measure, type PackedMember, readMetadata, writeMetadata } from './bundle-members.js';
import { buildCached, keyOf } from './cache.js';
import { readChart } from './chart.js';
import { run } from './command.js';
import type { ChartRecipe } from './release.js';

/** The chart of an add-on, packed out of the Go module that it lies in. The module file pins its content. */
export const makeChart = async (
  recipe: ChartRecipe,
  { cache, signal }: Pick<BuildContext, 'cache' | 'signal'>,
): Promise<PackedMember> => {
  const { addon, name, version, module } = recipe;
  const source = join(programsFolder, recipe.folder);
  const pins = await readFile(join(source, 'go.sum'), 'utf8');
  const key = keyOf(`chart-${addon}`, [recipe, pins.split('\n').filter((line) => line.startsWith(`${module} `))]);
  const { folder, made } = await buildCached(cache, key, async (into) => {
    const said = await run(`fetch ${module}`, 'go', ['mod', 'download', '-C', source, '-json', module], {
      environment: { GOFLAGS: '-mod=mod', GOWORK: 'off' },
      ...(signal === undefined ? {} : { signal }),
    });
    const { Dir: home } = JSON.parse(said) as { readonly Dir: string };
    const chart = await readChart(join(home, recipe.path));
    if (chart.name !== name || chart.version !== version) {
      throw new Error(`${module} holds chart ${chart.name} ${chart.version}, and not ${name} ${version}`);
    }
    await writeFile(join(into, 'chart.tgz'), chart.tgz);
    await writeMetadata(into, await measure(join(into, 'chart.tgz')));
  });
  const file = `charts/${name}-${version}.tgz`;
  return {
    source: join(folder, 'chart.tgz'),
    member: { file, ...(await readMetadata<Measure>(folder)) },
    chart: { addon, name, version, file, from: module },
    made,
  };
};

const programsFolder = fileURLToPath(new URL('../../programs/', import.meta.url));
