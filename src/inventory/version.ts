import { gt, maxSatisfying, valid, validRange } from 'semver';

/** A known version: the same one, or the newest patch of a minor-only one; undefined where there is none. */
export const resolveVersion = (wanted: string, known: readonly string[]): string | undefined =>
  validRange(wanted) === null ? undefined : (maxSatisfying(known, wanted) ?? undefined);

/** Whether one version of a chart is newer than another; no where one of them is no version. */
export const isNewer = (version: string, than: string): boolean =>
  valid(version) !== null && valid(than) !== null && gt(version, than);
