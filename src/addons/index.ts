import type { ImageName } from '../artifacts/artifacts.js';
import type { Addon, Cluster, Values } from '../inventory/cluster.js';
import type { AddonDescription, ImageReference } from './addon.js';
import { mergeValues } from './merge-values.js';
import { metricsServer } from './metrics-server.js';
import { storage } from './storage.js';

/** The add-ons that kbs knows, those first that others need. */
export const knownAddons: readonly AddonDescription[] = [storage, metricsServer];

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

/** An add-on of a cluster as it is to be installed. */
export interface PlannedAddon {
  readonly addon: Addon;
  /** The name of its release. */
  readonly release: string;
  readonly namespace: string;
  readonly values: Values;
  /** Images of the bundle that its pods run. */
  readonly images: readonly ImageName[];
}

/**
 * The add-ons of a cluster in the order in which they are installed: what others need before those, then charts of the
 * owner in the order of the inventory. `image` gives the reference of an image of the bundle.
 */
export const plannedAddons = (
  cluster: Pick<Cluster, 'addons' | 'kubernetes' | 'domain'>,
  image: (name: ImageName) => string,
): readonly PlannedAddon[] => inOrder(cluster.addons ?? []).map((addon) => planned(addon, cluster, image));

const planned = (
  addon: Addon,
  cluster: Pick<Cluster, 'kubernetes' | 'domain'>,
  image: (name: ImageName) => string,
): PlannedAddon => {
  if (addon.is === 'own') {
    const { name, namespace, values } = addon;
    return { addon, release: name, namespace, values, images: [] };
  }
  const known: Values = knownValues(addon, cluster, (name) => partsOf(image(name)));
  const { release, namespace, images } = byName[addon.is];
  return { addon, release, namespace, images, values: mergeValues(known, addon.values) };
};

const byName = { 'metrics-server': metricsServer, storage } as const;

const knownValues = (
  addon: Exclude<Addon, { is: 'own' }>,
  cluster: Pick<Cluster, 'kubernetes' | 'domain'>,
  image: (name: ImageName) => ImageReference,
): Values => {
  switch (addon.is) {
    case 'metrics-server':
      return metricsServer.values(addon, cluster, image);
    case 'storage':
      return storage.values(addon, cluster, image);
  }
};

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
