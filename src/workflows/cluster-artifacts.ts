import { existsSync } from 'node:fs';
import type { Artifacts, ImageName } from '../artifacts/artifacts.js';
import { type Bundle, defaultBundle, openBundle, readCatalogue, upstreamBundle } from '../artifacts/bundle.js';
import { archesIn, type BundleCatalogue } from '../artifacts/bundle-catalogue.js';
import { distributions } from '../artifacts/packages/distributions.js';
import { placeholderArtifacts } from '../artifacts/placeholder.js';
import { defined } from '../defined.js';
import { Failure, failuresIn } from '../failure.js';
import type { Cluster } from '../inventory/cluster.js';
import { checkValues } from './addons/check-values.js';
import { create } from './bundle.js';
import { readCharts, withCharts } from './charts.js';
import type { LoadedCluster } from './load-cluster.js';

/** The artifacts of a cluster with charts that the bundle does not have, checked with their values, before any host is touched. */
export const openArtifacts = async (loaded: LoadedCluster): Promise<Artifacts> =>
  withChartsOf(loaded, await openBundleOf(loaded));

const withChartsOf = async (loaded: LoadedCluster, artifacts: Artifacts & Partial<Bundle>): Promise<Artifacts> => {
  const charts = artifacts.catalogue?.charts ?? [];
  const all = withCharts(artifacts, await readCharts(loaded, (name) => charts.some(({ addon }) => addon === name)));
  await checkValues(loaded, all);
  return all;
};

/** For looking ahead: where there is no bundle yet, the catalogue's names and versions without contents. */
export const openArtifactsOrPlaceholders = async (
  loaded: LoadedCluster,
  say: (text: string) => void,
): Promise<Artifacts> => {
  const { cluster } = loaded;
  const placeholders = (why: string, upstream: boolean): Artifacts => {
    say(`${why}; sizes and digests are not known yet`);
    return placeholderArtifacts(cluster.kubernetes.version, { upstream });
  };
  if (isToDownload(cluster) || (await withoutAddons(cluster)) !== undefined) {
    return withChartsOf(loaded, placeholders('the bundle is downloaded when it is needed', true));
  }
  const bundle = await openBundleOf(loaded).catch((error: unknown) => {
    if (error instanceof Failure && error.code === 'preflight') return placeholders(error.message, false);
    throw error;
  });
  return withChartsOf(loaded, bundle);
};

/**
 * Why the bundle of a cluster does not bring an image, with what makes one that does; undefined where it does, or where kbs
 * downloads it once it is needed.
 */
export const lackingImages = async ({
  cluster,
}: Pick<LoadedCluster, 'cluster'>): Promise<(image: ImageName) => string | undefined> => {
  const isDownloaded = bundleFolder(cluster) === upstreamBundle(cluster.kubernetes.version);
  if (isDownloaded || isToDownload(cluster)) return () => undefined;
  const bundle = await openBundleOf({ cluster }).catch(problemIn);
  if (typeof bundle === 'string') return () => bundle;
  return (image) => {
    try {
      for (const arch of bundle.architectures) bundle.of(arch).image(image);
      return undefined;
    } catch (error) {
      return problemIn(error);
    }
  };
};

/** A failure as one line; anything else is thrown on. */
const problemIn = (error: unknown): string => {
  const [failure] = failuresIn(error);
  if (failure === undefined) throw error;
  return [failure.message, ...(failure.next === undefined ? [] : [failure.next])].join('; ');
};

/** Downloads the bundle of a cluster where it is what the projects publish, and is not there yet. */
export const downloadMissingBundle = async (
  { cluster }: LoadedCluster,
  { say, signal }: { readonly say: (text: string) => void; readonly signal?: AbortSignal },
): Promise<void> => {
  const { kubernetes, artifacts, addons = [] } = cluster;
  const before = await withoutAddons(cluster);
  if (!isToDownload(cluster) && before === undefined) return;
  say(`Kubernetes ${kubernetes.version} is downloaded from where it is published`);
  const options = {
    version: kubernetes.version,
    addons: addons.length > 0,
    ...(before === undefined ? {} : remaking(before)),
    ...defined({ mirrors: artifacts.mirrors, signal }),
  };
  await create(options, say);
};

/** The catalogue of a bundle that was downloaded before the inventory had add-ons: it is made again, with them. */
const withoutAddons = async (cluster: Cluster): Promise<BundleCatalogue | undefined> => {
  const folder = bundleFolder(cluster);
  const isDownloaded = folder === upstreamBundle(cluster.kubernetes.version);
  if (!isDownloaded || (cluster.addons ?? []).length === 0) return undefined;
  // What is wrong with it is said where it is opened.
  const catalogue = await readCatalogue(folder).catch(() => undefined);
  return catalogue?.charts === undefined ? catalogue : undefined;
};

/** What a bundle that is made again must hold besides. */
const remaking = (catalogue: BundleCatalogue) => {
  const of = archesIn(catalogue);
  const held = of.flatMap((arch) => Object.keys(catalogue.architectures[arch]?.repositories ?? {}));
  return { architectures: of, packages: distributions.filter((each) => held.includes(each)) };
};

const isToDownload = (cluster: Cluster): boolean => {
  const { source, bundle } = cluster.artifacts;
  if (bundle !== undefined || source === 'bundle' || source === 'go-modules') return false;
  return !existsSync(bundleFolder(cluster));
};

const bundleFolder = ({ kubernetes: { version }, artifacts: { source, bundle } }: Cluster): string =>
  bundle ?? (source === 'upstream' ? upstreamBundle : defaultBundle)(version);

/** The bundle of a cluster alone: where no chart is needed, none is downloaded. */
export const openBundleOf = ({ cluster }: Pick<LoadedCluster, 'cluster'>): Promise<Bundle> =>
  openBundle(bundleFolder(cluster));
