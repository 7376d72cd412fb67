import { failuresIn } from '../../failure.js';
import { removeHost } from '../../inventory/edit.js';
import { type LoadedCluster, loadCluster } from '../load-cluster.js';
import { pinPodCidrs, readRecord, recordPodCidrs } from '../run/pod-cidrs.js';
import { saveLoadedInventory } from '../save-inventory.js';

/** What becomes of the inventory's file when hosts leave: the text without them, or why they stay in it. */
export type InventoryRemoval =
  | { readonly text: string; readonly loaded: LoadedCluster }
  | { readonly kept: string; readonly next: string };

/**
 * The inventory without the hosts; writes nothing. They are kept in it where a new machine is to take the place of a dead
 * one, and where the inventory would be invalid without them.
 */
export const removeFromInventory = async (
  { inventory, text: before }: LoadedCluster,
  names: readonly string[],
  { dead, forget }: { readonly dead: boolean; readonly forget: boolean },
): Promise<InventoryRemoval> => {
  const they = names.length === 1 ? 'its' : 'their';
  if (dead && !forget) {
    return {
      kept: `${names.join(', ')} ${names.length === 1 ? 'stays' : 'stay'} in ${inventory}`,
      next: `put a new machine in ${they} place and run kbs apply, or take ${names.length === 1 ? 'it' : 'them'} out: kbs remove --dead --forget ${names.join(' ')}`,
    };
  }
  try {
    const text = names.reduce(removeHost, before);
    // Pins are written before the first host changes: the file then holds the text that is edited here.
    return { text, loaded: await loadCluster(inventory, text, before) };
  } catch (error) {
    const reasons = failuresIn(error);
    if (reasons.length === 0) throw error;
    return {
      kept: `${names.join(', ')} ${names.length === 1 ? 'stays' : 'stay'} in ${inventory}, which would be wrong otherwise: ${reasons.map(({ message }) => message).join('; ')}`,
      next: `put ${they} replacement there and run kbs apply, or take out another one too`,
    };
  }
};

/** Writes the inventory without the hosts; the nodes that stay keep their pod CIDRs. */
export const saveRemoval = async (
  removal: InventoryRemoval,
  names: readonly string[],
  say: (text: string) => void,
): Promise<void> => {
  if ('kept' in removal) {
    say(`${removal.kept}; ${removal.next}`);
    return;
  }
  const { loaded, pins } = await pinPodCidrs(removal.loaded, await readRecord(removal.loaded.state));
  await saveLoadedInventory(loaded, loaded.unsaved ?? removal.text);
  await recordPodCidrs(loaded);
  if (pins.length > 0) say(`${loaded.inventory}: pinned what would have changed otherwise: ${pins.join(', ')}`);
  say(`took ${names.join(', ')} out of ${loaded.inventory}`);
};
