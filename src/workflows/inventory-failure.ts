import { type Details, Failure, type FailureCode } from '../failure.js';
import type { InventoryError } from '../inventory/inventory-error.js';
import { readSource } from '../inventory/source.js';

/**
 * The Failure of an inventory that has something wrong, at its place there. `text` is what the inventory says, `file` its
 * path for messages. `code`: where what is wrong is not the inventory's own.
 */
export const inventoryFailure = (
  error: InventoryError,
  text: string,
  file: string,
  { code = 'inventory', ...details }: Omit<Details, 'where'> & { readonly code?: FailureCode } = {},
): Failure => {
  const { line, column, message } = readSource(text).locate(error);
  return new Failure(code, message, { ...details, where: { position: `${file}:${line}:${column}` } });
};
