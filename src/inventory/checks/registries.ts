import type { InventoryError } from '../inventory-error.js';
import { inventoryError } from '../inventory-error.js';
import type { PartialInventory } from '../partial.js';
import { entries } from '../partial.js';

/** Where the password of a registry is; never the password itself. */
export const checkRegistries = (draft: PartialInventory): readonly InventoryError[] =>
  entries(draft.registries).flatMap(([name, { auth }]) => {
    if (auth === undefined) return [];
    const path = ['registries', name, 'auth'];
    const sources = ['passwordFile', 'passwordVariable'].filter((key) => key in auth);
    return [
      ...(name === '*' ? [inventoryError(path, 'would go to every registry; write it under the name of one')] : []),
      // A password that stands there has an error already.
      ...(sources.length === 1 || Object.hasOwn(auth, 'password')
        ? []
        : [inventoryError(path, 'needs either passwordFile or passwordVariable, which say where the password is')]),
      ...(auth.username?.includes(':')
        ? [inventoryError([...path, 'username'], 'has a colon, which ends a name where it is sent (RFC 7617)')]
        : []),
    ];
  });
