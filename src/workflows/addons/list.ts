import pLimit from 'p-limit';
import type { AddonDescription } from '../../addons/addon.js';
import { knownAddons, type PlannedAddon, plannedAddons } from '../../addons/index.js';
import { archOfThisMachine } from '../../artifacts/arch.js';
import { type Artifacts, type ImageName, referenceOf } from '../../artifacts/artifacts.js';
import { releaseOf } from '../../artifacts/catalogue.js';
import { placeholderArtifacts } from '../../artifacts/placeholder.js';
import { imageProblem, registryOf } from '../../artifacts/registry-image.js';
import { sourcesOf } from '../../artifacts/upstream/sources.js';
import { defined } from '../../defined.js';
import type { Addon, ChartSource, Cluster, Values } from '../../inventory/cluster.js';
import { unknownName } from '../../inventory/did-you-mean.js';
import { placeholderCredentials } from '../../pki/placeholder.js';
import { chartSourceOf, nameCharts, withCharts } from '../charts.js';
import { lackingImages } from '../cluster-artifacts.js';
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
  /** What its pods run; absent where kbs cannot tell: the chart, or values about images, are the owner's. */
  readonly images?: readonly ListedImage[];
  readonly needs: readonly string[];
  /** The oldest minor version of Kubernetes; absent for a chart of the owner. */
  readonly kubernetes?: string;
}

export interface ListedImage {
  /** Without a tag, where that is the chart's. */
  readonly reference: string;
  /** `bundle`, or the registry that hosts fetch it from. */
  readonly from: string;
  /** What hosts fetch, where pods name it otherwise. */
  readonly published?: string;
  /** Why it cannot be had; absent where nothing is known against it. */
  readonly lacking?: string;
}

/** Those that kbs knows, then the owner's. No host is contacted; `ask` asks registries whether they have the images. */
export const listAddons = async (
  file: string,
  ask?: { readonly signal: AbortSignal },
): Promise<readonly ListedAddon[]> => {
  const loaded = await loadCluster(file);
  const listed = await named(loaded);
  return ask === undefined ? listed : asked(listed, loaded.cluster, ask.signal);
};

const named = async (loaded: LoadedCluster): Promise<readonly ListedAddon[]> => {
  const artifacts = await namesOf(loaded);
  const wanted = loaded.cluster.addons ?? [];
  const planned = plannedIn(loaded, artifacts);
  const lacking = await lackingImages(loaded);
  const published = fetchedByHosts(loaded);
  const imagesOf = (name: string, { images, pulls = [] }: Pick<AddonDescription, 'images' | 'pulls'>) => {
    const releases = planned.filter(({ addon }) => addon.name === name);
    if (releases.some((each) => each.pulls === undefined)) return {};
    const isPlanned = releases.length > 0;
    const bundled = isPlanned ? releases.flatMap((each) => each.images) : images;
    const fetched = isPlanned ? releases.flatMap((each) => each.pulls ?? []) : pulls;
    return {
      images: [
        ...bundled.map((image): ListedImage => {
          const reference = referenceOf(artifacts, image);
          const source = published.get(image);
          return source === undefined
            ? { reference, from: 'bundle', ...defined({ lacking: lacking(image) }) }
            : { reference, from: registryOf(source), published: source };
        }),
        ...fetched.map((reference) => ({ reference, from: registryOf(reference) })),
      ],
    };
  };
  return [
    ...knownAddons.map(({ name, what, release, namespace, needs, kubernetes, ...known }) => ({
      name,
      isInInventory: wanted.some((addon) => addon.name === name),
      what,
      release,
      namespace,
      ...chartOf(artifacts, wanted.find((addon) => addon.name === name) ?? { name }, loaded),
      ...imagesOf(name, known),
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
              needs: [],
            },
          ]
        : [],
    ),
  ];
};

/** What hosts fetch in the place of images of the bundle, where the inventory has them do so. */
const fetchedByHosts = ({ cluster }: LoadedCluster): ReadonlyMap<ImageName, string> => {
  const release = releaseOf(cluster.kubernetes.version);
  if (cluster.artifacts.fetch !== 'hosts' || release === undefined) return new Map();
  const { images } = sourcesOf(release, archOfThisMachine(), { addons: true });
  return new Map(images.map(({ name, published }) => [name, published]));
};

const plannedIn = ({ cluster }: LoadedCluster, artifacts: Artifacts): readonly PlannedAddon[] =>
  plannedAddons(cluster, (image) => referenceOf(artifacts, image), placeholderCredentials(cluster));

/** With what registries, or their mirrors in the inventory, answer to a question for each image with a tag. */
const asked = (
  listed: readonly ListedAddon[],
  { registries = [], artifacts }: Pick<Cluster, 'registries' | 'artifacts'>,
  signal: AbortSignal,
): Promise<readonly ListedAddon[]> => {
  const ofContainerd = (registry: string): readonly string[] =>
    (registries.find(({ name }) => name === registry) ?? registries.find(({ name }) => name === '*'))?.mirrors ?? [];
  const ofDownloads = (registry: string): readonly string[] => {
    const mirror = artifacts.mirrors?.[registry];
    return mirror === undefined ? [] : [mirror];
  };
  const limit = pLimit(4);
  const askFor = (image: ListedImage): Promise<ListedImage> =>
    limit(async () => {
      const { from, published, reference } = image;
      if (from === 'bundle' || !/:[^/]*$/.test(reference)) return image;
      const mirrors = published === undefined ? ofContainerd(from) : ofDownloads(from);
      const problem = await imageProblem(published ?? reference, mirrors, signal);
      return problem === undefined ? image : { ...image, lacking: problem };
    });
  return Promise.all(
    listed.map(async (addon) =>
      addon.images === undefined ? addon : { ...addon, images: await Promise.all(addon.images.map(askFor)) },
    ),
  );
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
  const found = plannedIn(loaded, await namesOf(loaded)).find(({ addon }) => addon.name === name);
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
