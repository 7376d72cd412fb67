/** Something in an inventory that is not right: where, and the rest of the sentence that begins with that place. */
export interface Mistake {
  readonly path: Path;
  /** The mistake is the last key of the path, and not the value below it. */
  readonly inKey?: true;
  readonly says: string;
}

export type Path = readonly (string | number)[];

export const mistake = (path: Path, says: string): Mistake => ({ path, says });

export const mistakeInKey = (path: Path, says: string): Mistake => ({ path, says, inKey: true });

/** `hosts.worker-00.taints[0]: … is not a taint; …` */
export const sentence = ({ path, says }: Mistake): string => {
  const place = path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
  if (place === '') return says;
  return says.startsWith('is ') ? `${place} ${says}` : `${place}: ${says}`;
};
