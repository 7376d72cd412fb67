import { knownAddons, knownNames, withNeeds } from '../../addons/index.js';
import type { PurgedAddon } from '../../engine/host-phases.js';
import { unknownName } from '../../inventory/did-you-mean.js';
import { addAddon, removeAddon } from '../../inventory/edit.js';
import { type LoadedCluster, loadCluster } from '../load-cluster.js';

/**
 * The inventory with these add-ons and those that they need in its text, each as kbs has it; the file is not written here. One that is there stays
 * as it is: an installation that failed after the inventory was written is repeated with the same words. Throws `usage`
 * where kbs does not know a name.
 */
export const withAddons = async (file: string, names: readonly string[]): Promise<LoadedCluster> => {
  const known = await loadCluster(file);
  const there = namesIn(known);
  requireKnown(names, there, {
    lacks: 'kbs has no add-on',
    among: knownNames,
    otherwise:
      'a chart of your own is written into the inventory: addons: { NAME: { chart: ./folder, namespace: NAME } }',
  });
  const added = withNeeds(names).filter((name) => !there.includes(name));
  return edited(file, known, added.reduce(addAddon, known.text));
};

/**
 * The inventory without these add-ons. One that kbs knows and that is not there is no mistake: a removal that failed after
 * the inventory was written is repeated with the same words.
 */
export const withoutAddons = async (file: string, names: readonly string[]): Promise<LoadedCluster> => {
  const known = await loadCluster(file);
  const there = namesIn(known);
  requireKnown(names, there, {
    lacks: 'the inventory has no add-on',
    among: there,
    otherwise: 'what is left of one that it had goes with: kbs apply',
  });
  return edited(file, known, names.filter((name) => there.includes(name)).reduce(removeAddon, known.text));
};

/** These add-ons of the inventory, or that kbs knows, with their releases: what a removal purges. */
export const purgedAddons = async (file: string, names: readonly string[]): Promise<readonly PurgedAddon[]> => {
  const { cluster } = await loadCluster(file);
  return names.flatMap((addon) => {
    const known = knownAddons.find(({ name }) => name === addon);
    const own = cluster.addons?.find((each) => each.name === addon);
    if (known !== undefined) return [{ addon, name: known.release, namespace: known.namespace }];
    return own?.is === 'own' ? [{ addon, name: addon, namespace: own.namespace }] : [];
  });
};

/** A name is that of an add-on of the inventory, or of one that kbs knows. */
const requireKnown = (
  names: readonly string[],
  there: readonly string[],
  says: { readonly lacks: string; readonly among: readonly string[]; readonly otherwise: string },
): void => {
  const unknown = names.filter((name) => !there.includes(name) && !knownNames.includes(name));
  if (unknown.length > 0) throw unknownName(says.lacks, unknown, says.among, says.otherwise);
};

const namesIn = ({ cluster }: LoadedCluster): readonly string[] => (cluster.addons ?? []).map(({ name }) => name);

const edited = async (file: string, known: LoadedCluster, text: string): Promise<LoadedCluster> =>
  text === known.text ? known : loadCluster(file, text, known.text);
