import { existsSync } from 'node:fs';
import type { Artifacts, ImageName } from '../artifacts/artifacts.js';
import {
  type Bundle,
  defaultBundle,
  hostsBundle,
  openBundle,
  readCatalogue,
  upstreamBundle,
} from '../artifacts/bundle.js';
import { archesIn, type BundleCatalogue } from '../artifacts/bundle-catalogue.js';
import { withPublished } from '../artifacts/bundle-for-hosts.js';
import { extraAuthorities } from '../artifacts/http.js';
import { distributions } from '../artifacts/packages/distributions.js';
import { placeholderArtifacts } from '../artifacts/placeholder.js';
import type { Access } from '../artifacts/published.js';
import { defined } from '../defined.js';
import { Failure, failuresIn } from '../failure.js';
import type { Cluster } from '../inventory/cluster.js';
import { checkValues } from './addons/check-values.js';
import { create, createCharts, createForHosts } from './bundle.js';
import { readCharts, withCharts } from './charts.js';
import type { LoadedCluster } from './load-cluster.js';

/** The artifacts of a cluster with charts that the bundle does not have, checked with their values, before any host is touched. */
export const openArtifacts = async (loaded: LoadedCluster): Promise<Artifacts> => {
  const bundle = await openBundleOf(loaded);
  return withChartsOf(loaded, await forHosts(loaded, bundle), bundle.catalogue.charts);
};

/** With what hosts download themselves, where they do. */
const forHosts = async ({ cluster }: Pick<LoadedCluster, 'cluster'>, bundle: Bundle): Promise<Artifacts> =>
  cluster.artifacts.fetch === 'hosts' ? withPublished(bundle, await accessOf(cluster)) : bundle;

/** How hosts get at what they download: as the inventory says, and with the authorities that this machine trusts besides. */
const accessOf = async ({ proxy, artifacts }: Cluster): Promise<Access> => ({
  way: defined({ proxy, ca: await extraAuthorities() }),
  mirrors: artifacts.mirrors ?? {},
});

const withChartsOf = async (
  loaded: LoadedCluster,
  artifacts: Artifacts,
  bundled: readonly { readonly addon: string }[] = [],
): Promise<Artifacts> => {
  const all = withCharts(artifacts, await readCharts(loaded, (name) => bundled.some(({ addon }) => addon === name)));
  await checkValues(loaded, all);
  return all;
};

/** For looking ahead: where there is no bundle yet, the catalogue's names and versions without contents. */
export const openArtifactsOrPlaceholders = async (
  loaded: LoadedCluster,
  say: (text: string) => void,
): Promise<Artifacts> => {
  const { cluster } = loaded;
  const placeholders = (why: string, upstream: boolean, access?: Access): Promise<Artifacts> => {
    say(`${why}; sizes and digests are not known yet`);
    return withChartsOf(loaded, placeholderArtifacts(cluster.kubernetes.version, { upstream, ...defined({ access }) }));
  };
  if (isToDownload(cluster) || (await withoutAddons(cluster)) !== undefined) {
    return cluster.artifacts.fetch === 'hosts'
      ? placeholders('hosts download themselves, once their digests are fetched', true, await accessOf(cluster))
      : placeholders('the bundle is downloaded when it is needed', true);
  }
  return openArtifacts(loaded).catch((error: unknown) => {
    if (error instanceof Failure && error.code === 'preflight') return placeholders(error.message, false);
    throw error;
  });
};

/**
 * Why the bundle of a cluster does not bring an image, with what makes one that does; undefined where it does, or where kbs
 * downloads it once it is needed.
 */
export const lackingImages = async ({
  cluster,
}: Pick<LoadedCluster, 'cluster'>): Promise<(image: ImageName) => string | undefined> => {
  if (isDownloaded(cluster) || isToDownload(cluster)) return () => undefined;
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

/**
 * The artifacts of a cluster, for commands that need the charts of its add-ons and the names of images: where the bundle is
 * still to be downloaded, the charts alone are.
 */
export const openCharts = async (
  loaded: LoadedCluster,
  { say, signal }: { readonly say: (text: string) => void; readonly signal?: AbortSignal | undefined },
): Promise<Artifacts> => {
  const { kubernetes, artifacts } = loaded.cluster;
  if (!isToDownload(loaded.cluster) && (await withoutAddons(loaded.cluster)) === undefined)
    return openArtifacts(loaded);
  if ((loaded.cluster.addons ?? []).length === 0) return placeholderArtifacts(kubernetes.version, { upstream: true });
  say('the charts of add-ons are downloaded; there is no bundle yet');
  const charts = await createCharts({
    version: kubernetes.version,
    ...defined({ mirrors: artifacts.mirrors, signal }),
  });
  const named = withCharts(placeholderArtifacts(kubernetes.version, { upstream: true }), charts);
  return withChartsOf(
    loaded,
    named,
    [...charts.keys()].map((addon) => ({ addon })),
  );
};

/** The artifacts of a cluster, for commands that need the names of images alone: the bundle's where it is there. */
export const openNames = async ({ cluster }: Pick<LoadedCluster, 'cluster'>): Promise<Artifacts> => {
  const { source, bundle } = cluster.artifacts;
  const isThere = existsSync(bundleFolder(cluster));
  // One that the inventory names is said to be missing.
  if (bundle !== undefined || source === 'bundle' || isThere)
    return forHosts({ cluster }, await openBundleOf({ cluster }));
  return placeholderArtifacts(cluster.kubernetes.version, { upstream: source !== 'go-modules' });
};

/** Downloads the bundle of a cluster where it is what the projects publish, and is not there yet. */
export const downloadMissingBundle = async (
  { cluster }: LoadedCluster,
  { say, signal }: { readonly say: (text: string) => void; readonly signal?: AbortSignal },
): Promise<void> => {
  const { kubernetes, artifacts, addons = [] } = cluster;
  const before = await withoutAddons(cluster);
  if (!isToDownload(cluster) && before === undefined) return;
  const options = {
    version: kubernetes.version,
    addons: addons.length > 0,
    ...(before === undefined ? {} : remaking(before)),
    ...defined({ mirrors: artifacts.mirrors, pins: artifacts.pins, signal }),
  };
  if (artifacts.fetch === 'hosts') {
    say(
      `the digests of Kubernetes ${kubernetes.version}, which hosts download, are fetched from where it is published`,
    );
    await createForHosts(options, say);
  } else {
    say(`Kubernetes ${kubernetes.version} is downloaded from where it is published`);
    await create(options, say);
  }
};

/** The catalogue of a bundle that was downloaded before the inventory had add-ons: it is made again, with them. */
const withoutAddons = async (cluster: Cluster): Promise<BundleCatalogue | undefined> => {
  if (!isDownloaded(cluster) || (cluster.addons ?? []).length === 0) return undefined;
  // What is wrong with it is said where it is opened.
  const catalogue = await readCatalogue(bundleFolder(cluster)).catch(() => undefined);
  return catalogue?.charts === undefined ? catalogue : undefined;
};

/** What a bundle that is made again must hold besides. */
const remaking = (catalogue: BundleCatalogue) => {
  const of = archesIn(catalogue);
  const held = of.flatMap((arch) => Object.keys(catalogue.architectures[arch]?.repositories ?? {}));
  return { architectures: of, packages: distributions.filter((each) => held.includes(each)) };
};

/** Whether its bundle is one that kbs downloads, there or not yet. */
const isDownloaded = (cluster: Cluster): boolean =>
  [upstreamBundle, hostsBundle].some((of) => of(cluster.kubernetes.version) === bundleFolder(cluster));

const isToDownload = (cluster: Cluster): boolean => {
  const { source, bundle } = cluster.artifacts;
  if (bundle !== undefined || source === 'bundle' || source === 'go-modules') return false;
  return !existsSync(bundleFolder(cluster));
};

const bundleFolder = ({ kubernetes: { version }, artifacts: { source, bundle, fetch } }: Cluster): string => {
  if (fetch === 'hosts') return hostsBundle(version);
  return bundle ?? (source === 'upstream' ? upstreamBundle : defaultBundle)(version);
};

/** The bundle of a cluster alone: where no chart is needed, none is downloaded. */
const openBundleOf = ({ cluster }: Pick<LoadedCluster, 'cluster'>): Promise<Bundle> =>
  openBundle(bundleFolder(cluster));
