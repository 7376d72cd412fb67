/** An error in an inventory: its path, and the rest of the sentence that begins with that path. */
export interface InventoryError {
  readonly path: Path;
  /** The last key of the path is wrong, not its value. */
  readonly inKey?: true;
  readonly predicate: string;
}

export type Path = readonly (string | number)[];

export const inventoryError = (path: Path, predicate: string): InventoryError => ({ path, predicate });

export const inventoryKeyError = (path: Path, predicate: string): InventoryError => ({ path, predicate, inKey: true });

/** `hosts.worker-00.taints[0]: … is not a taint; …` */
export const errorText = ({ path, predicate }: InventoryError): string => {
  const location = path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
  if (location === '') return predicate;
  return predicate.startsWith('is ') ? `${location} ${predicate}` : `${location}: ${predicate}`;
};
