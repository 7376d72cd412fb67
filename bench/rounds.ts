interface Timed {
  readonly seconds: number;
}

/** The run in the middle; of two, the slower. Throws where there is none. */
export const median = <T extends Timed>(runs: readonly T[]): T => {
  const middle = runs.toSorted((one, other) => one.seconds - other.seconds)[Math.floor(runs.length / 2)];
  if (!middle) throw new Error('no run was made');
  return middle;
};

/** The seconds of all runs, in their order. */
export const all = (runs: readonly Timed[]): string => runs.map(({ seconds }) => seconds.toFixed(1)).join(' ');
