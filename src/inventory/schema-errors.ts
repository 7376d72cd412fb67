import type { z } from 'zod';
import { didYouMean } from './did-you-mean.js';
import type { InventoryError, Path } from './inventory-error.js';
import { inventoryError, inventoryKeyError } from './inventory-error.js';
import type { Source } from './source.js';

/** What zod found, as mistakes; the schema's messages are predicates, and the value as the file shows it is the subject. */
export const schemaErrors = (issues: readonly Issue[], source: Source): readonly InventoryError[] =>
  issues.flatMap((issue) => {
    const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => inventoryKeyError([...path, key], unknownKey(key, issue.message.split(' '))));
    }
    return [inventoryError(path, subject(source, path, issue.message))];
  });

type Issue = z.core.$ZodIssue;

const unknownKey = (key: string, known: readonly string[]): string => {
  const meant = didYouMean(key, known);
  return `is not known; ${meant === undefined ? `known are ${known.join(', ')}` : `did you mean ${meant}?`}`;
};

/** `is missing; write …` where nothing stands there, else the value and what is wrong with it. */
const subject = (source: Source, path: Path, message: string): string => {
  const absent = message.startsWith('write ');
  if (path.length === 0) return absent ? emptyFile : `the file ${message}`;
  if (absent) return `is ${source.has(path) ? 'empty' : 'missing'}; ${message}`;
  return `${source.shown(path) || 'an empty text'} ${message}`;
};

const emptyFile = 'the file is empty; write an inventory to start from with: kbs inventory init';
