import { type ImageName, objectsChart } from '../artifacts/artifacts.js';
import type { Addon, Values } from '../inventory/cluster.js';
import type { Credentials } from '../pki/credentials.js';
import type { AddonCluster, AddonDescription, AddonRecipe, ImageReference, WebInterface } from './addon.js';
import { certManager } from './cert-manager.js';
import { dashboard } from './dashboard.js';
import { ingress } from './ingress.js';
import { loadBalancerServices } from './load-balancer-services.js';
import { mergeValues } from './merge-values.js';
import { metricsServer } from './metrics-server.js';
import { hasGrafana, monitoring } from './monitoring.js';
import { nfsStorage } from './nfs-storage.js';
import { rancher } from './rancher.js';
import { storage } from './storage.js';

/** The add-ons that kbs knows, those first that others need. */
export const knownAddons: readonly AddonDescription[] = [
  storage,
  nfsStorage,
  metricsServer,
  loadBalancerServices,
  ingress,
  certManager,
  dashboard,
  rancher,
  monitoring,
];

/** Their names. */
export const knownNames: readonly string[] = knownAddons.map(({ name }) => name);

/** The names with those of all that they need, which come first; a name that is not known needs nothing. */
export const withNeeds = (
  names: readonly string[],
  among: readonly Pick<AddonDescription, 'name' | 'needs'>[] = knownAddons,
): readonly string[] => [
  ...new Set(
    names.flatMap((name) => [...withNeeds(among.find((each) => each.name === name)?.needs ?? [], among), name]),
  ),
];

/** An add-on with something that people open in a browser. */
export type WebAddon = Pick<AddonDescription, 'name' | 'namespace'> & { readonly web: WebInterface };

/** The web interface of an add-on as the inventory has it; undefined where its chart brings none. */
export const webInterfaceOf = (addon: Addon): WebAddon | undefined => {
  const known = knownAddons.find(({ name }) => name === addon.name);
  const isThere = addon.is !== 'monitoring' || hasGrafana(addon);
  return known?.web !== undefined && isThere ? { ...known, web: known.web } : undefined;
};

/** A release of an add-on as it is to be installed. */
export interface PlannedAddon {
  readonly addon: Addon;
  /** What the artifacts have its chart by. */
  readonly chart: string;
  /** The name of the release. */
  readonly release: string;
  readonly namespace: string;
  readonly values: Values;
  /** Images of the bundle that its pods run. */
  readonly images: readonly ImageName[];
  /** References of images that hosts fetch; absent where the owner's chart or values decide about images. */
  readonly pulls?: readonly string[];
}

/**
 * The releases of a cluster's add-ons in the order in which they are installed: what others need before those, then charts
 * of the owner in the order of the inventory. `image` gives the reference of an image of the bundle.
 */
export const plannedAddons = (
  cluster: AddonCluster,
  image: (name: ImageName) => string,
  credentials: AddonCredentials,
): readonly PlannedAddon[] =>
  inOrder(cluster.addons ?? []).flatMap((addon) =>
    planned(addon, { cluster, image: (name) => partsOf(image(name)), credentials }),
  );

type AddonCredentials = Pick<Credentials, 'ingress' | 'metrics'>;

const planned = (addon: Addon, surroundings: Surroundings): readonly PlannedAddon[] => {
  switch (addon.is) {
    case 'metrics-server':
      return byRecipe(metricsServer, addon, surroundings);
    case 'storage':
      return byRecipe(storage, addon, surroundings);
    case 'nfs-storage':
      return byRecipe(nfsStorage, addon, surroundings);
    case 'load-balancer-services':
      return byRecipe(loadBalancerServices, addon, surroundings);
    case 'ingress':
      return byRecipe(ingress, addon, surroundings);
    case 'cert-manager':
      return byRecipe(certManager, addon, surroundings);
    case 'dashboard':
      return byRecipe(dashboard, addon, surroundings);
    case 'rancher':
      return byRecipe(rancher, addon, surroundings);
    case 'monitoring':
      return byRecipe(monitoring, addon, surroundings);
    case 'own': {
      const { name, namespace, values } = addon;
      return [{ addon, chart: name, release: name, namespace, values, images: [] }];
    }
  }
};

interface Surroundings {
  readonly cluster: AddonCluster;
  readonly image: (name: ImageName) => ImageReference;
  readonly credentials: AddonCredentials;
}

/** The add-on's chart, and its objects where it has any. */
const byRecipe = <A extends Addon>(
  recipe: AddonRecipe<A>,
  addon: A,
  { cluster, image, credentials }: Surroundings,
): readonly PlannedAddon[] => {
  const { name: chart, release, namespace } = recipe;
  const chosen = recipe.imagesOf?.(addon);
  const [images, pulls] = chosen === undefined ? [recipe.images, recipe.pulls ?? []] : [chosen, []];
  const objects = recipe.objects?.(addon, credentials.ingress, cluster, credentials.metrics) ?? [];
  const values = mergeValues(recipe.values(addon, cluster, image, credentials.ingress), addon.values);
  return [
    { addon, chart, release, namespace, images, values, ...(namesImages(addon) ? {} : { pulls }) },
    ...(objects.length === 0
      ? []
      : [
          {
            addon,
            chart: objectsChart,
            release: `${release}-objects`,
            namespace,
            images: [],
            pulls: [],
            values: { objects },
          },
        ]),
  ];
};

/** Whether an add-on that kbs knows may run other images than kbs knows of. */
const namesImages = ({ chart, values }: Addon): boolean =>
  chart !== undefined || /"[^"]*(image|registry|repository|tag)[^"]*":/i.test(JSON.stringify(values));

const inOrder = (addons: readonly Addon[]): readonly Addon[] =>
  addons.toSorted((one, other) => rank(one) - rank(other));

const rank = ({ name }: Addon): number => {
  const index = knownAddons.findIndex((each) => each.name === name);
  return index < 0 ? knownAddons.length : index;
};

const partsOf = (reference: string): ImageReference => {
  const colon = reference.lastIndexOf(':');
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) };
};
