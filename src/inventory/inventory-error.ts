/** Something in an inventory that is not right: where, and the rest of the sentence that begins with that place. */
export interface InventoryError {
  readonly path: Path;
  /** The mistake is the last key of the path, and not the value below it. */
  readonly inKey?: true;
  readonly says: string;
}

export type Path = readonly (string | number)[];

export const inventoryError = (path: Path, says: string): InventoryError => ({ path, says });

export const inventoryKeyError = (path: Path, says: string): InventoryError => ({ path, says, inKey: true });

/** `hosts.worker-00.taints[0]: … is not a taint; …` */
export const sentence = ({ path, says }: InventoryError): string => {
  const place = path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
  if (place === '') return says;
  return says.startsWith('is ') ? `${place} ${says}` : `${place}: ${says}`;
};
