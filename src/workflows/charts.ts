import { knownAddons } from '../addons/index.js';
import type { Artifacts, Chart } from '../artifacts/artifacts.js';
import { readChart } from '../artifacts/charts/chart.js';
import { publishedChart } from '../artifacts/charts/published.js';
import { Failure, Failures } from '../failure.js';
import type { Addon, ChartSource, Cluster, PublishedChart } from '../inventory/cluster.js';
import { inventoryError, inventoryKeyError } from '../inventory/inventory-error.js';
import { sha256 } from '../secret.js';
import { inventoryFailure } from './inventory-failure.js';

/** The artifacts with charts in place of those that they have for these add-ons. */
export const withCharts = (artifacts: Artifacts, charts: ReadonlyMap<string, Chart>): Artifacts => ({
  ...artifacts,
  chart: (addon) => charts.get(addon) ?? artifacts.chart(addon),
});

/**
 * The charts that the bundle does not have, by the names of their add-ons: those that the inventory names, and published
 * ones. What is not on this machine yet is downloaded. Throws Failures that name every chart that cannot be had.
 */
export const readCharts = (
  loaded: LoadedText,
  isBundled: (addon: string) => boolean,
): Promise<ReadonlyMap<string, Chart>> => chartsBy(loaded, isBundled, (chart) => publishedChart(chart));

/** The same by name and version, where only these are asked for: nothing is downloaded. */
export const nameCharts = (
  loaded: LoadedText,
  isBundled: (addon: string) => boolean,
): Promise<ReadonlyMap<string, Chart>> => chartsBy(loaded, isBundled, async (chart) => unfetched(chart));

/** Where an add-on's chart is from; absent: the bundle. The inventory comes first, then the bundle. */
export const chartSourceOf = (
  { name, chart }: Pick<Addon, 'name' | 'chart'>,
  isBundled: (addon: string) => boolean,
): ChartSource | undefined =>
  chart ?? (isBundled(name) ? undefined : knownAddons.find((known) => known.name === name)?.published);

const unfetched = ({ repository, name, version }: PublishedChart): Chart => ({
  name,
  version,
  sha256: sha256(`chart ${repository} ${name} ${version} (not downloaded)`),
  tgz: new Uint8Array(),
});

const chartsBy = async (
  loaded: LoadedText,
  isBundled: (addon: string) => boolean,
  get: (chart: PublishedChart) => Promise<Chart>,
): Promise<ReadonlyMap<string, Chart>> => {
  const read = await Promise.all(
    (loaded.cluster.addons ?? []).map(async (addon) => {
      const source = chartSourceOf(addon, isBundled);
      if (source === undefined) return undefined;
      return ('path' in source ? readChart(source.path) : get(source)).then(
        (found) => [addon.name, found] as const,
        (error: unknown) => unreadable(addon, source, error, loaded),
      );
    }),
  );
  const failures = read.filter((each) => each instanceof Failure);
  if (failures.length > 0) throw new Failures(failures);
  return new Map(read.flatMap((each) => (each === undefined || each instanceof Failure ? [] : [each])));
};

/** A cluster, and the inventory that it is from. */
interface LoadedText {
  readonly cluster: Pick<Cluster, 'addons'>;
  /** Absolute path. */
  readonly inventory: string;
  readonly text: string;
}

const unreadable = (
  { name, chart }: Pick<Addon, 'name' | 'chart'>,
  source: ChartSource,
  error: unknown,
  { inventory, text }: LoadedText,
): Failure => {
  const says =
    'path' in source
      ? `${source.path} is no chart that can be read`
      : `the chart ${source.name} ${source.version} cannot be had from ${source.repository}`;
  const at =
    chart === undefined ? inventoryKeyError(['addons', name], says) : inventoryError(['addons', name, 'chart'], says);
  return inventoryFailure(at, text, inventory, {
    code: 'path' in source ? 'inventory' : 'preflight',
    why: [error instanceof Error ? error.message : String(error)],
    next:
      'path' in source
        ? 'name a folder with a Chart.yaml, or an archive that helm package or helm pull has made'
        : 'correct that; or fetch the archive elsewhere with helm pull, and write its path as `chart`; no host was contacted',
    cause: error,
  });
};
