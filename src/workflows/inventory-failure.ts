import { Failure } from '../failure.js';
import type { InventoryError } from '../inventory/inventory-error.js';
import { readSource } from '../inventory/source.js';

/**
 * The Failure of an inventory that has something wrong, at its place there. `text` is what the inventory says, `file` its
 * path as the operator named it, and `next` the next step, where there is one that the message does not say.
 */
export const inventoryFailure = (error: InventoryError, text: string, file: string, next?: string): Failure => {
  const { line, column, message } = readSource(text).locate(error);
  return new Failure('inventory', message, {
    where: { position: `${file}:${line}:${column}` },
    ...(next === undefined ? {} : { next }),
  });
};
