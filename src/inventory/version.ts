import { maxSatisfying, validRange } from 'semver';

/** A known version: the same one, or the newest patch of a minor-only one; undefined where there is none. */
export const resolveVersion = (wanted: string, known: readonly string[]): string | undefined =>
  validRange(wanted) === null ? undefined : (maxSatisfying(known, wanted) ?? undefined);
