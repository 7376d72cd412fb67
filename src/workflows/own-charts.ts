import type { Artifacts, Chart } from '../artifacts/artifacts.js';
import { readChart } from '../artifacts/chart.js';
import { Failure, Failures } from '../failure.js';
import type { Cluster, OwnAddon } from '../inventory/cluster.js';
import { inventoryError } from '../inventory/inventory-error.js';
import { readSource } from '../inventory/source.js';

/** The artifacts with charts in place of those that they have for these add-ons. */
export const withCharts = (artifacts: Artifacts, charts: ReadonlyMap<string, Chart>): Artifacts => ({
  ...artifacts,
  chart: (addon) => charts.get(addon) ?? artifacts.chart(addon),
});

/** The charts of the owner, by the names of their add-ons. Throws Failures that name every chart that cannot be read. */
export const readOwnCharts = async (loaded: LoadedText): Promise<ReadonlyMap<string, Chart>> => {
  const own = (loaded.cluster.addons ?? []).filter((addon): addon is OwnAddon => addon.is === 'own');
  const read = await Promise.all(
    own.map(async ({ name, chart }) =>
      readChart(chart).then(
        (found) => [name, found] as const,
        (error: unknown) => unreadable(name, chart, error, loaded),
      ),
    ),
  );
  const failures = read.filter((each) => each instanceof Failure);
  if (failures.length > 0) throw new Failures(failures);
  return new Map(read.flatMap((each) => (each instanceof Failure ? [] : [each])));
};

/** A cluster, and the inventory that it is from. */
interface LoadedText {
  readonly cluster: Cluster;
  /** Absolute path. */
  readonly inventory: string;
  readonly text: string;
}

const unreadable = (name: string, path: string, error: unknown, { inventory, text }: LoadedText): Failure => {
  const says = inventoryError(['addons', name, 'chart'], `${path} is no chart that can be read`);
  const { line, column, message } = readSource(text).locate(says);
  return new Failure('inventory', message, {
    where: { position: `${inventory}:${line}:${column}` },
    why: [error instanceof Error ? error.message : String(error)],
    next: 'name a folder with a Chart.yaml, or an archive that helm package or helm pull has made',
    cause: error,
  });
};
