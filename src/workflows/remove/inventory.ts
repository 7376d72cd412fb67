import { failuresIn } from '../../failure.js';
import { removeHost, saveInventory } from '../../inventory/edit.js';
import { readInventory } from '../../inventory/load.js';
import { type LoadedCluster, loadCluster } from '../load-cluster.js';
import { keepPodCidrs, recordPodCidrs } from '../run/pod-cidrs.js';

/** What becomes of the inventory's file when hosts leave: the text without them, or why they stay in it. */
export type InventoryRemoval =
  | { readonly text: string; readonly opened: LoadedCluster }
  | { readonly stay: string; readonly next: string };

/**
 * Reads the file and takes the hosts out, writing nothing. They stay in it where a new machine is to take the place of
 * a dead one, and where the inventory would be invalid without them.
 */
export const removeFromInventory = async (
  { inventory }: LoadedCluster,
  names: readonly string[],
  { dead, forget }: { readonly dead: boolean; readonly forget: boolean },
): Promise<InventoryRemoval> => {
  const they = names.length === 1 ? 'its' : 'their';
  if (dead && !forget) {
    return {
      stay: `${names.join(', ')} ${names.length === 1 ? 'stays' : 'stay'} in ${inventory}`,
      next: `put a new machine in ${they} place and run kbs apply, or take ${names.length === 1 ? 'it' : 'them'} out: kbs remove --dead --forget ${names.join(' ')}`,
    };
  }
  try {
    const text = names.reduce(removeHost, await readInventory(inventory));
    return { text, opened: await loadCluster(inventory, text) };
  } catch (error) {
    const reasons = failuresIn(error);
    if (reasons.length === 0) throw error;
    return {
      stay: `${names.join(', ')} ${names.length === 1 ? 'stays' : 'stay'} in ${inventory}, which would be wrong otherwise: ${reasons.map(({ message }) => message).join('; ')}`,
      next: `put ${they} replacement there and run kbs apply, or take out another one too`,
    };
  }
};

/** Writes the inventory without them; nobody who stays gets another pod CIDR. */
export const write = async (
  parting: InventoryRemoval,
  names: readonly string[],
  say: (text: string) => void,
): Promise<void> => {
  if ('stay' in parting) {
    say(`${parting.stay}; ${parting.next}`);
    return;
  }
  const { inventory } = parting.opened;
  const kept = await keepPodCidrs(parting.opened, say);
  if (kept === parting.opened) await saveInventory(inventory, parting.text);
  await recordPodCidrs(kept);
  say(`took ${names.join(', ')} out of ${inventory}`);
};
