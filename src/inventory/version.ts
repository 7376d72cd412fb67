import { maxSatisfying, validRange } from 'semver';

/** The version that is meant: a full one if the catalogue has it, the newest patch of a minor-only one, else undefined. */
export const resolveVersion = (wanted: string, known: readonly string[]): string | undefined =>
  validRange(wanted) === null ? undefined : (maxSatisfying(known, wanted) ?? undefined);
