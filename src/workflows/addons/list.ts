import { knownAddons, plannedAddons } from '../../addons/index.js';
import { type Artifacts, referenceOf } from '../../artifacts/artifacts.js';
import { releaseOf } from '../../artifacts/catalogue.js';
import { placeholderArtifacts } from '../../artifacts/placeholder.js';
import type { Addon, ChartSource, Values } from '../../inventory/cluster.js';
import { unknownName } from '../../inventory/did-you-mean.js';
import { placeholderCredentials } from '../../pki/placeholder.js';
import { chartSourceOf, nameCharts, withCharts } from '../charts.js';
import { type LoadedCluster, loadCluster } from '../load-cluster.js';

/** An add-on that kbs knows, or that the inventory has. */
export interface ListedAddon {
  readonly name: string;
  readonly isInInventory: boolean;
  readonly what: string;
  readonly release: string;
  readonly namespace: string;
  /** Name and version. */
  readonly chart: string;
  /** Where the chart is from: `bundle`, a path, or the address of a repository. */
  readonly source: string;
  /** References of the images that come with the bundle. */
  readonly images: readonly string[];
  /** References of images that hosts fetch from their registries. Of a chart of the owner none are known. */
  readonly pulls: readonly string[];
  readonly needs: readonly string[];
  /** The oldest minor version of Kubernetes; absent for a chart of the owner. */
  readonly kubernetes?: string;
}

/** Those that kbs knows, then the owner's. No host is contacted. */
export const listAddons = async (file: string): Promise<readonly ListedAddon[]> => {
  const loaded = await loadCluster(file);
  const artifacts = await namesOf(loaded);
  const wanted = loaded.cluster.addons ?? [];
  return [
    ...knownAddons.map(({ name, what, release, namespace, images, pulls = [], needs, kubernetes }) => ({
      name,
      isInInventory: wanted.some((addon) => addon.name === name),
      what,
      release,
      namespace,
      ...chartOf(artifacts, wanted.find((addon) => addon.name === name) ?? { name }, loaded),
      images: images.map((image) => referenceOf(artifacts, image)),
      pulls,
      needs,
      kubernetes,
    })),
    ...wanted.flatMap((addon) =>
      addon.is === 'own'
        ? [
            {
              name: addon.name,
              isInInventory: true,
              what: 'path' in addon.chart ? addon.chart.path : `${addon.chart.repository}/${addon.chart.name}`,
              release: addon.name,
              namespace: addon.namespace,
              ...chartOf(artifacts, addon, loaded),
              images: [],
              pulls: [],
              needs: [],
            },
          ]
        : [],
    ),
  ];
};

/** Names and versions need no bundle. */
const namesOf = async (loaded: LoadedCluster): Promise<Artifacts> =>
  withCharts(placeholderArtifacts(loaded.cluster.kubernetes.version), await nameCharts(loaded, bundledIn(loaded)));

const bundledIn = ({ cluster }: LoadedCluster) => {
  const charts = releaseOf(cluster.kubernetes.version)?.charts ?? [];
  return (name: string): boolean => charts.some(({ addon }) => addon === name);
};

const chartOf = (
  artifacts: Artifacts,
  addon: Pick<Addon, 'name' | 'chart'>,
  loaded: LoadedCluster,
): Pick<ListedAddon, 'chart' | 'source'> => {
  const source = chartSourceOf(addon, bundledIn(loaded));
  const { name, version } = source === undefined || 'path' in source ? artifacts.chart(addon.name) : source;
  return { chart: `${name} ${version}`, source: sourceText(source) };
};

const sourceText = (source: ChartSource | undefined): string => {
  if (source === undefined) return 'bundle';
  return 'path' in source ? source.path : source.repository;
};

/**
 * The values that helm is given for an add-on of the inventory: kbs's own with the owner's over them. Certificates are
 * placeholders.
 */
export const valuesOf = async (file: string, name: string): Promise<Values> => {
  const loaded = await loadCluster(file);
  const artifacts = await namesOf(loaded);
  const credentials = placeholderCredentials(loaded.cluster);
  const planned = plannedAddons(loaded.cluster, (image) => referenceOf(artifacts, image), credentials);
  const found = planned.find(({ addon }) => addon.name === name);
  if (found) return found.values;
  throw noSuchAddon(loaded, name);
};

/** The failure for a name that the inventory does not have. */
export const noSuchAddon = ({ cluster }: LoadedCluster, name: string) =>
  unknownName(
    'the inventory has no add-on',
    [name],
    (cluster.addons ?? []).map((addon) => addon.name),
    'one that kbs knows is added with: kbs addons install NAME',
  );
