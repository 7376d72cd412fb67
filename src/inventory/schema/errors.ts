import type { z } from 'zod';
import { didYouMean } from '../did-you-mean.js';
import type { InventoryError, Path } from '../inventory-error.js';
import { inventoryError, inventoryKeyError } from '../inventory-error.js';
import type { InventorySource } from '../source.js';

/**
 * The issues of zod as errors: the value as it is written is the subject, the schema's message the predicate. `empty` is
 * what to say of a file that holds nothing.
 */
export const schemaErrors = (
  issues: readonly Issue[],
  source: InventorySource,
  empty: string = emptyInventory,
): readonly InventoryError[] =>
  issues.flatMap(intoBranch).flatMap((issue) => {
    const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => inventoryKeyError([...path, key], unknownKey(key, issue.message.split(' '))));
    }
    return [inventoryError(path, subject(source, path, issue.message, empty))];
  });

type Issue = z.core.$ZodIssue;

/** Of a value that may have several shapes: what is wrong inside the shape that it has, where it has one. */
const intoBranch = (issue: Issue): readonly Issue[] => {
  if (issue.code !== 'invalid_union') return [issue];
  const branch = issue.errors.find((issues) =>
    issues.every(({ code, path }) => path.length > 0 || code === 'unrecognized_keys'),
  );
  return branch?.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })).flatMap(intoBranch) ?? [issue];
};

const unknownKey = (key: string, known: readonly string[]): string => {
  const meant = didYouMean(key, known);
  return `is not known; ${meant === undefined ? `known are ${known.join(', ')}` : `did you mean ${meant}?`}`;
};

/** `is missing; write …` where there is no value, else the value and what is wrong with it. */
const subject = (source: InventorySource, path: Path, message: string, empty: string): string => {
  const isMissing = message.startsWith('write ');
  if (path.length === 0) return isMissing ? empty : `the file ${message}`;
  if (isMissing) return `is ${source.has(path) ? 'empty' : 'missing'}; ${message}`;
  return `${source.textAt(path) || 'an empty text'} ${message}`;
};

const emptyInventory = 'the file is empty; write an inventory to start from with: kbs inventory init';
