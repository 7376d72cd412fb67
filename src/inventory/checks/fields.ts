import { didYouMean } from '../did-you-mean.js';
import type { InventoryError, Path } from '../inventory-error.js';
import { inventoryKeyError } from '../inventory-error.js';

/** The fields of a component's configuration: those that an inventory may set, and why it cannot set the others. */
export interface FieldNames {
  /** With its article, `a KubeletConfiguration`. */
  readonly of: string;
  readonly free: readonly string[];
  readonly own: Readonly<Record<string, string>>;
}

/** The fields written below a path are known and free to set. */
export const fieldsBelow = (
  path: Path,
  fields: object | undefined,
  { of, free, own }: FieldNames,
): readonly InventoryError[] =>
  Object.keys(fields ?? {}).flatMap((name) => {
    const why = Object.hasOwn(own, name) ? own[name] : undefined;
    if (why !== undefined) return [inventoryKeyError([...path, name], `cannot be set here: ${why}`)];
    if (free.includes(name)) return [];
    return [inventoryKeyError([...path, name], `is no field of ${of}${hint(didYouMean(name, free))}`)];
  });

/** The end of a message about a name that is not known. */
export const hint = (meant: string | undefined): string => (meant === undefined ? '' : `; did you mean ${meant}?`);
