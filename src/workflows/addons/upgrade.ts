import { knownAddons } from '../../addons/index.js';
import { Failure } from '../../failure.js';
import type { Addon, PublishedChart } from '../../inventory/cluster.js';
import { setChartVersion } from '../../inventory/edit.js';
import { addonImages, addons } from '../../phases/cluster/addons.js';
import type { Phase, PhaseContext } from '../../phases/phase.js';
import type { Resource } from '../../resources/resource.js';
import { type LoadedCluster, loadCluster } from '../load-cluster.js';
import type { PhaseWorkflow } from '../run/phase-workflow.js';
import { noSuchAddon } from './list.js';

/** These add-ons alone, with their images, as the inventory says: what `apply` does for them. */
export const upgradeAddons = (names: readonly string[]): PhaseWorkflow => {
  const images = names.map((name) => `addon-${name}`);
  const phases = [
    only(addonImages, (each) => each.kind === 'image' && images.includes(each.name)),
    only(addons, (each) => each.kind === 'release' && names.includes(each.addon)),
  ];
  return { name: 'addons upgrade', phasesOf: () => phases, isTarget: () => false, needsCluster: true };
};

const only = (phase: Phase, isMeant: (resource: Resource) => boolean): Phase => ({
  ...phase,
  resources: (host, context: PhaseContext) => phase.resources(host, context).filter(isMeant),
});

/**
 * The inventory, with this version of a published chart in its text; the file is not written here. Throws `usage` where the
 * inventory has no such add-on, or where versions of its chart cannot be chosen.
 */
export const withVersion = async (
  file: string,
  names: readonly string[],
  version: string | undefined,
): Promise<LoadedCluster> => {
  const loaded = await loadCluster(file);
  const found = names.map((name) => {
    const addon = loaded.cluster.addons?.find((each) => each.name === name);
    if (addon === undefined) throw noSuchAddon(loaded, name);
    return addon;
  });
  const [addon, ...others] = found;
  if (version === undefined || addon === undefined) return loaded;
  if (others.length > 0) {
    throw new Failure('usage', 'a version is for one add-on', { next: 'name one add-on, or leave --version out' });
  }
  const text = setChartVersion(loaded.text, addon.name, { ...publishedOf(addon), version });
  return text === loaded.text ? loaded : loadCluster(file, text, loaded.text);
};

const publishedOf = ({ name, chart }: Addon): PublishedChart => {
  const source = chart ?? knownAddons.find((known) => known.name === name)?.published;
  if (source !== undefined && !('path' in source)) return source;
  throw new Failure(
    'usage',
    `the chart of ${name} is ${source === undefined ? 'in the bundle' : source.path}: it has one version`,
    {
      next:
        source === undefined
          ? 'a newer one comes with a newer kbs, or as `chart` of your own: see docs/addons.md'
          : 'put another chart there, and leave --version out',
    },
  );
};
