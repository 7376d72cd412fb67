import { Failure } from '../failure.js';

/**
 * The failure for names that are not among the known ones, with the known name that is close to one and a list of all.
 * `what` begins the message, as in `the inventory has no host`; `otherwise` is a last clause of the advice.
 */
export const unknownName = (
  what: string,
  names: readonly string[],
  known: readonly string[],
  otherwise?: string,
): Failure => {
  const meant = names.flatMap((name) => didYouMean(name, known) ?? []);
  const hint = meant.length > 0 ? `did you mean ${meant.join(', ')}? ` : '';
  const last = otherwise === undefined ? '' : `; ${otherwise}`;
  return new Failure('usage', `${what} ${names.join(', ')}`, { next: `${hint}it has ${shortList(known)}${last}` });
};

/** Names for a message: the first twelve, and how many more there are. */
export const shortList = (names: readonly string[]): string =>
  names.length <= shown ? names.join(', ') : `${names.slice(0, shown).join(', ')} and ${names.length - shown} more`;

const shown = 12;

/** The known word that is close to this one: at most two letters off, and less than half the word; else undefined. */
export const didYouMean = (word: string, known: readonly string[]): string | undefined => {
  const [best] = known
    .map((candidate) => ({ candidate, steps: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, steps }) => steps <= 2 && steps * 2 < candidate.length)
    .sort((a, b) => a.steps - b.steps);
  return best?.candidate;
};

/** How many letters to insert, drop, replace, or swap with their neighbour. */
const distance = (from: string, to: string): number => {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 0; i < from.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j++) {
      const replaced = (row[j] ?? 0) + (from[i] === to[j] ? 0 : 1);
      const swapped = from[i] === to[j - 1] && from[i - 1] === to[j] ? (before[j - 1] ?? 0) + 1 : Infinity;
      next.push(Math.min(replaced, swapped, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    [before, row] = [row, next];
  }
  return row.at(-1) ?? 0;
};
